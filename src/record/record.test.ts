import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTrace } from "../workloads/trace/reader.ts";
import { summarizeTrace } from "../workloads/trace/summary.ts";
import { mappingOf } from "./already-there.ts";
import { countOf } from "./ground-truth.ts";
import { launch, launcherMissing } from "./launcher.ts";
import { record } from "./record.ts";
import type { Source } from "./source.ts";
import { openTraceFile } from "./trace-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pagewise-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string) {
  const temporary = join(folder, `${name}.part`);
  return openTraceFile(
    {
      temporary,
      keep: () => renameSync(temporary, join(folder, name)),
      drop: () => rmSync(temporary, { force: true }),
    },
    join(folder, name),
    { codec: "none" },
  );
}

const faults = (count: number): string =>
  Array.from(
    { length: count },
    (_, i) =>
      `a 1/1 [000] 7.${String(i).padStart(9, "0")}: exceptions:page_fault_user: ` +
      `address=0x${((0x1000 + i) * 4096).toString(16)} ip=0x5 error_code=0x6\n`,
  ).join("");

/** A source whose text is given, and whose program is real. */
function sourceOf(text: string): Source {
  return {
    name: "perf",
    format: "perf",
    sees: "",
    misses: ["whatever is not in the text"],
    missing: () => undefined,
    tool: () => "a text",
    async start({ program }) {
      const launched = await launch(program, { hugePagesOff: false, fixedLayout: false, output: "ignore" });
      let stopped = (): void => {};
      const stop = new Promise<void>((resolve) => {
        stopped = resolve;
      });
      async function* pieces() {
        yield Buffer.from(text);
        await stop;
      }
      return {
        text: pieces(),
        launched,
        stop: stopped,
        complaints: () => ["the tool complains"],
        close() {},
      };
    },
  };
}

const missing = launcherMissing();
if (missing !== undefined) console.warn(`skipped: tests of record: ${missing}`);

describe.skipIf(missing !== undefined)("a recording", () => {
  const subject = { program: ["sh", "-c", "exit 3"], hugePagesOff: true, fixedLayout: true };

  test("says how it was made and how the program ended", async () => {
    const { ended } = await record({
      source: sourceOf(faults(40)),
      subject,
      openFile: () => fileOf("a.pwt"),
    });
    expect(ended?.code).toBe(3);
    const reader = openTrace(readFileSync(join(folder, "a.pwt")));
    expect(reader.header).toMatchObject({
      program: "sh -c exit 3",
      recordedUnder: "never",
      recording: { command: ["sh", "-c", "exit 3"], tool: "a text", misses: ["whatever is not in the text"] },
    });
    expect(summarizeTrace(reader).faults).toBe(40);
    expect(reader.totals?.recorded).toMatchObject({ exitStatus: 3 });
    expect(readdirSync(folder)).toEqual(["a.pwt"]);
  });

  test("of which nothing came says what the tool said, and leaves no file", async () => {
    const run = record({ source: sourceOf(""), subject, openFile: () => fileOf("a.pwt") });
    await expect(run).rejects.toThrow("nothing was recorded: the tool complains");
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("what tools and /proc print", () => {
  test("a line of /proc/PID/maps is a mapping; the kernel's own pages are none", () => {
    expect(mappingOf("5632ff439000-5632ff45a000 rw-p 00000000 00:00 0          [heap]")).toEqual({
      start: 0x5632ff439000,
      end: 0x5632ff45a000,
      prot: 3,
      shared: false,
      path: "[heap]",
    });
    expect(mappingOf("7fa95b128000-7fa95b14e000 r-xs 00026000 fe:00 1837 /usr/lib/libc.so.6")).toMatchObject({
      prot: 5,
      shared: true,
      path: "/usr/lib/libc.so.6",
    });
    expect(mappingOf("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]")).toBeUndefined();
  });

  test("perf stat's lines give counts, and what it could not count is told", () => {
    const text =
      "# started on Sat Nov 21\n\n65596,,page-faults,133201,100.00,,\n" +
      "128,,kmem:mm_page_alloc,133201,100.00,,\n";
    expect(countOf(text, "page-faults")).toBe(65596);
    expect(countOf(text, "kmem:mm_page_alloc")).toBe(128);
    expect(() => countOf("<not supported>,,page-faults,0,100.00,,\n", "page-faults")).toThrow(
      "did not count",
    );
  });
});
