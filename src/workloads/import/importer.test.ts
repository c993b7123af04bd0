import { describe, expect, test } from "vitest";
import { importText } from "../../../test/samples/imported.ts";
import { UserError } from "../../lib/assert.ts";
import { detectFormat } from "./detect.ts";

const PWF = [
  "#pwf 1",
  "P 7",
  "T 1",
  "x401a 43 0 2",
  "! 1 brk 0 = 4035000 0",
  "w1fff000 2143 812 9",
  "#end",
  "",
].join("\n");
const PERF = [0, 1, 2]
  .map(
    (i) => `a 1/1 [000] 7.00000${i}: exceptions:page_fault_user: address=0x${i}000 ip=0x5 error_code=0x6\n`,
  )
  .join("");
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

describe("importing a text", () => {
  test.each([
    ["pwf", PWF],
    ["perf", PERF],
    ["perf", PERF.replaceAll("\n", "\r\n")],
  ] as const)("the cuts between chunks do not matter (%s)", (format, text) => {
    const whole = importText(format, text);
    expect(whole.lines.length).toBeGreaterThan(3);
    for (const chunkBytes of [1, 2, 3, 7, 50]) expect(importText(format, text, chunkBytes)).toEqual(whole);
  });

  test("a text that ends inside a line is imported up to that line, and says so", () => {
    const { lines, summary } = importText("perf", PERF.slice(0, -9));
    expect(lines.filter((line) => line.includes("fault"))).toHaveLength(2);
    expect(summary.cutOff).toMatch(/no line end: \d+ bytes from byte 174 on/);
    expect(importText("perf", PERF).summary.cutOff).toBeUndefined();
  });

  test("folded text without its end line is cut off; one that says it is a head is not", () => {
    expect(importText("pwf", PWF.replace("#end\n", "")).summary.cutOff).toBe("there is no #end line");
    const head = importText("pwf", PWF.replace("#end", "#truncated"));
    expect(head.summary.cutOff).toBeUndefined();
    expect(head.lines.at(-1)).toBe("0 +0 lost what=the source ends here on purpose");
  });

  test("lines that cannot be read are counted, the first few shown with their place", () => {
    const { summary } = importText("pwf", PWF.replace("#end", "garbage\x1b[2J\nr1 2\n#end"));
    expect(summary.unreadableLines).toBe(2);
    expect(summary.unreadable[0]).toMatchObject({ line: 7, byteOffset: 70, found: "garbage\ufffd[2J" });
    expect(summary.unreadable[1]).toMatchObject({ line: 8, found: "r1 2" });
    expect(summary.records).toBe(2);
  });

  test("a text of which nothing is understood is the user's mistake", () => {
    expect(() => importText("perf", "hello\nworld\n")).toThrow(UserError);
    expect(() => importText("lackey", "")).toThrow("nothing in it can be understood");
  });

  test("events that say nothing of memory are counted by name", () => {
    const other = "a 1/1 [000] 7.000009: sched:sched_switch: prev_comm=a\n";
    expect(importText("perf", PERF + other + other).summary.ignored).toEqual({ "sched:sched_switch": 2 });
  });
});

describe("telling formats apart", () => {
  test.each([
    ["perf", PERF],
    ["perf", "# captured on: today\n#\n" + PERF],
    ["pwf", PWF],
    ["lackey", "==1== Lackey, an example Valgrind tool\n"],
    ["lackey", "I  0401ab70,3\n S 1fff000768,8\n"],
    ["lackey", "S 1fff000198,8\nL 04a28750,8\n"],
    ["pwt", "PWT\x01\r\n\x1a\n"],
    [undefined, "map a 1M\nwrite a\n"],
    [undefined, ""],
  ])("%s", (format, text) => {
    expect(detectFormat(bytesOf(text))).toBe(format);
  });
});
