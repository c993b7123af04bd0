import { describe, expect, test } from "vitest";
import { importText } from "../../../test/samples/imported.ts";
import { detectFormat } from "./detect.ts";

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const itemsOf = (lines: readonly string[]): string[] => lines.filter((line) => !line.startsWith("thread"));

describe("pinatrace", () => {
  const text = "0x401000: W 0x7ffd9e4f3a18\n0x401004: R 0x7ffd9e4f3a10\n0x401008: R 0x600000\n#eof\n";

  test("consecutive references to a page fold into one record", () => {
    expect(detectFormat(bytesOf(text))).toBe("pinatrace");
    const { lines, summary } = importText("pinatrace", text);
    expect(itemsOf(lines)).toEqual(["0 +1 w 7ffd9e4f3000 1 1 first", "0 +2 r 600000 1 0 first"]);
    expect(summary.cutOff).toBeUndefined();
    expect(importText("pinatrace", text.replace("#eof\n", "")).summary.cutOff).toBe("there is no #eof line");
  });

  test("a line of another shape is told with its place", () => {
    const { summary } = importText("pinatrace", text + "0x40100c: X 0x1000\n");
    expect(summary.unreadable).toMatchObject([{ line: 5, found: "0x40100c: X 0x1000" }]);
  });
});

/** One instruction as ChampSim stores it. */
function champsim(ip: bigint, reads: readonly bigint[], writes: readonly bigint[]): string {
  const view = new DataView(new ArrayBuffer(64));
  view.setBigUint64(0, ip, true);
  for (const [i, address] of writes.entries()) view.setBigUint64(16 + 8 * i, address, true);
  for (const [i, address] of reads.entries()) view.setBigUint64(32 + 8 * i, address, true);
  return String.fromCharCode(...new Uint8Array(view.buffer));
}

describe("a ChampSim trace", () => {
  const whole = champsim(0x401000n, [0x7f0000001008n], [0x7f0000002000n]) + champsim(0x401004n, [], []);

  test("reads before it writes; code pages count instructions", () => {
    const { lines, summary } = importText("champsim", whole);
    expect(itemsOf(lines)).toEqual([
      "0 +1 x 401000 1 0 first",
      "0 +0 r 7f0000001000 1 0 first",
      "0 +0 w 7f0000002000 0 1 first",
      "0 +1 x 401000 1 0",
    ]);
    expect(summary).toMatchObject({ lines: 2, cutOff: undefined });
  });

  test("that ends inside an instruction is cut off, and what is no instruction is told", () => {
    expect(importText("champsim", whole.slice(0, -9)).summary.cutOff).toMatch(/last 55 bytes/);
    expect(() => importText("champsim", "y".repeat(64))).toThrow("a ChampSim instruction of 64 bytes");
  });
});

describe("drmemtrace's view", () => {
  const text = [
    "Output format:",
    "<--record#-> <--instr#->: <---tid---> <record details>",
    "           6           0: W0.T3256418 <marker: timestamp 13312410768080478>",
    "           7           0: W0.T3256418 <marker: W0.T3256418 on core 7>",
    "  8   1: W0.T3256418 ifetch       3 byte(s) @ 0x00007fc205a61940 48 89 e7   mov    %rsp, %rdi",
    " 10   1: W0.T3256418 write        8 byte(s) @ 0x00007fff9a9e3ffc by PC 0x00007fc205a61943",
    " 11   2: W0.T3256420 ifetch       3 byte(s) @ 0x00007fc205a61940 48 89 e7   mov    %rsp, %rdi",
    " 12   2: W0.T3256420 read         4 byte(s) @ 0x00007fc205a70000 by PC 0x00007fc205a61943",
    "      801371      601842: W0.T3256420 <marker: system call 15>",
    "",
  ].join("\n");

  test("threads, CPUs and references keep their order; an access across a page's end uses both", () => {
    expect(detectFormat(bytesOf(text))).toBe("drmemtrace");
    expect(importText("drmemtrace", text).lines).toEqual([
      "thread 0: pid 1 tid 3256418 process 0 ",
      "0 +0 cpu cpu=7",
      "0 +1 x 7fc205a61000 1 0 first",
      "0 +0 w 7fff9a9e3000 0 1 first",
      "0 +0 w 7fff9a9e4000 0 1 first",
      "thread 1: pid 1 tid 3256420 process 0 ",
      "0 +0 thread child=1",
      "1 +1 x 7fc205a61000 1 0",
      "1 +0 r 7fc205a70000 1 0 first",
    ]);
  });
});

describe("DAMON's records", () => {
  const raw = [
    "monitoring_start:                0 ns",
    "monitoring_end:            104.599 ms",
    "target_id: 18446623438842320000",
    "nr_regions: 2",
    "# start_addr     end_addr        length  nr_accesses   age",
    "563ebaa00000-563ebaa02000 (   8.000 KiB)           3    -1",
    "563ebadf3000-563ebae00000 (  52.000 KiB)           0    -1",
    "",
  ].join("\n");

  test("a used region's pages appear as writes and are read from then on; unused ones give nothing", () => {
    expect(detectFormat(bytesOf(raw))).toBe("damon");
    const { lines } = importText("damon", raw + raw);
    expect(itemsOf(lines)).toEqual([
      "0 +0 w 563ebaa00000 2 1 first",
      "0 +0 w 563ebaa01000 2 1 first",
      "0 +0 r 563ebaa00000 3 0",
      "0 +0 r 563ebaa01000 3 0",
    ]);
  });

  test("perf's text of the same is understood too", () => {
    const at = 0x563ebaa00000;
    const line = (time: string) =>
      `kdamond.0  4452 [000] ${time}: damon:damon_aggregated: ` +
      `target_id=18446623435582458880 nr_regions=17 ${at}-${at + 4096}: 2 3\n`;
    expect(detectFormat(bytesOf(line("82877.315633")))).toBe("damon");
    const { lines } = importText("damon", line("82877.315633") + line("82877.415633"));
    expect(itemsOf(lines)).toEqual(["0 +0 w 563ebaa00000 1 1 first", "0 +100000000 r 563ebaa00000 2 0"]);
  });
});
