import { describe, expect, test } from "vitest";
import { type ImportFormat, makeImporter } from "../import/detect.ts";
import { openTrace } from "../trace/reader.ts";
import { traceAsText } from "../trace/text.ts";
import { makeMemoryWriter } from "../trace/writer.ts";
import { needsRelayout, type RelayoutRules, relayout } from "./relayout.ts";

const VALGRIND: RelayoutRules = { alignment: "huge-if-multiple" };

/** Imports a text and answers with the re-laid-out trace's lines. */
function relaidFrom(format: ImportFormat, text: string, rules: RelayoutRules): string[] {
  const w = makeMemoryWriter();
  const importer = makeImporter(format, w);
  importer.push(Uint8Array.from(text, (c) => c.charCodeAt(0)));
  importer.end();
  w.end();
  let picture = "";
  traceAsText(relayout(openTrace(w.bytes()), rules), (part) => {
    picture += part;
  });
  return picture.split("\n").filter((line) => line !== "" && !/^(#|thread )|cpu cpu=/.test(line));
}

/** The same for lines of folded valgrind text. */
function relaid(lines: readonly string[], rules: RelayoutRules = VALGRIND): string[] {
  return relaidFrom("pwf", ["#pwf 1", "P 7", "T 1", ...lines, "#end", ""].join("\n"), rules);
}

const map = (length: string, at: string, flags = "22", fd = "ffffffff", asked = "0"): string =>
  `! 1 mmap ${asked} ${length} 3 ${flags} ${fd} 0 = ${at} 0`;
const placeOf = (line: string): string => /(?:start|newStart)=0x([0-9a-f]+)(?!.*newStart)/.exec(line)![1]!;

describe("where mappings go", () => {
  test("from the top down, below what exec has mapped; references go along", () => {
    expect(relaid([map("2000", "4835000"), map("3000", "4837000"), "w4835 0 1 0", "w4839 0 1 0"])).toEqual([
      "0 +0 map start=0x7ffff7fc0000 length=0x2000 prot=3",
      "0 +0 map start=0x7ffff7fbd000 length=0x3000 prot=3",
      "0 +0 w 7ffff7fc0000 0 1 first",
      "0 +0 w 7ffff7fbf000 0 1 first",
    ]);
  });

  test("multiples of two megabytes are aligned since 6.13, all large ones since 6.7, none before", () => {
    const both = [map("400000", "5000000"), map("801000", "6000000")];
    const places = (alignment: RelayoutRules["alignment"]): string[] =>
      relaid(both, { alignment }).map((line) => placeOf(line));
    expect(places("huge-if-multiple")).toEqual(["7ffff7a00000", "7ffff71ff000"]);
    expect(places("huge-if-large")).toEqual(["7ffff7a00000", "7ffff7000000"]);
    expect(places("page")).toEqual(["7ffff7bc2000", "7ffff73c1000"]);
  });

  test("large files are aligned by their file systems", () => {
    expect(placeOf(relaid([map("209f18", "4847000", "802", "4")])[0]!)).toBe("7ffff7c00000");
  });

  test("MAP_FIXED stays where it is in its reservation", () => {
    const lines = relaid([
      map("1e1f50", "4847000", "802", "4"),
      map("156000", "486d000", "812", "4", "486d000"),
      "x486d 1 0 0",
    ]);
    expect(lines.map((line) => line.split(" length")[0])).toEqual([
      "0 +0 map start=0x7ffff7de0000",
      "0 +0 map start=0x7ffff7e06000",
      "0 +0 x 7ffff7e06000 1 0 first",
    ]);
  });

  test("an address that the program chose and got is kept", () => {
    expect(placeOf(relaid([map("400000", "c000000000", "22", "ffffffff", "c000000000")])[0]!)).toBe(
      "c000000000",
    );
  });

  test("an unmapped gap is used again", () => {
    const lines = relaid([
      map("4000", "4835000"),
      map("4000", "4839000"),
      "! 1 munmap 4835000 4000 = 0 0",
      map("3000", "4835000"),
    ]);
    expect(lines.map(placeOf)).toEqual(["7ffff7fbe000", "7ffff7fba000", "7ffff7fbe000", "7ffff7fbf000"]);
  });

  test("program, loader and stack go where exec puts them", () => {
    expect(relaid(["r108 1 0 0", "r4000 1 0 0", "w1fff000 0 1 0"])).toEqual([
      "0 +0 r 555555554000 1 0 first",
      "0 +0 r 7ffff7fc7000 1 0 first",
      "0 +0 w 7fffffffe000 0 1 first",
    ]);
    // A program that is not position-independent keeps its addresses.
    expect(relaid(["r400 1 0 0"])).toEqual(["0 +0 r 400000 1 0 first"]);
  });
});

describe("mremap", () => {
  const small = map("4000", "4835000");

  test("grows in place when the gap above is free, whatever the source did", () => {
    const lines = relaid([
      small,
      map("4000", "4839000"),
      "! 1 munmap 4835000 4000 = 0 0",
      "! 1 mremap 4839000 4000 6000 1 0 = 5000000 0",
      "w5005 0 1 0",
    ]);
    expect(lines.slice(3)).toEqual([
      "0 +0 remap start=0x7ffff7fba000 length=0x4000 newStart=0x7ffff7fba000 newLength=0x6000",
      "0 +0 w 7ffff7fbf000 0 1 first",
    ]);
  });

  test("moves when it is not", () => {
    expect(
      relaid([small, "w4835 0 1 0", "! 1 mremap 4835000 4000 6000 1 0 = 4835000 0", "w4835 0 1 0"]).slice(2),
    ).toEqual([
      "0 +0 remap start=0x7ffff7fbe000 length=0x4000 newStart=0x7ffff7fb8000 newLength=0x6000",
      "0 +0 w 7ffff7fb8000 0 1",
    ]);
  });
});

describe("ranges over several mappings", () => {
  test("an event is split where the parts have gone apart", () => {
    const lines = relaid([
      map("200000", "4a00000"),
      map("4000", "4c00000"),
      "! 1 madvise 4bff000 3000 4 = 0 9",
      "! 1 munmap 4bff000 3000 = 0 0",
    ]);
    expect(lines.slice(2)).toEqual([
      "0 +9 advise start=0x7ffff7dff000 length=0x1000 advice=dontneed",
      "0 +0 advise start=0x7ffff7fbe000 length=0x2000 advice=dontneed",
      "0 +0 unmap start=0x7ffff7dff000 length=0x1000",
      "0 +0 unmap start=0x7ffff7fbe000 length=0x2000",
    ]);
  });
});

describe("processes", () => {
  test("a child inherits the layout and goes its own way", () => {
    const lines = relaid([
      map("4000", "4835000"),
      "! 1 clone 1200011 0 0 0 0 = 8 0",
      "P 8",
      "T 1",
      "w4835 0 1 0",
      map("4000", "4839000"),
      "P 7",
      "T 1",
      map("2000", "4839000"),
    ]);
    expect(lines.slice(2)).toEqual([
      "1 +0 w 7ffff7fbe000 0 1 first",
      "1 +0 map start=0x7ffff7fba000 length=0x4000 prot=3",
      "0 +0 map start=0x7ffff7fbc000 length=0x2000 prot=3",
    ]);
  });

  test("exec begins with an empty address space", () => {
    const lines = relaid([map("4000", "4835000"), "! 1 execve = 0 0", map("4000", "4900000")]);
    expect(placeOf(lines.at(-1)!)).toBe("7ffff7fbe000");
  });

  test("the heap moves as one", () => {
    const lines = relaid([
      "r108 1 0 0",
      "! 1 brk 0 = 4035000 0",
      "! 1 brk 4056000 = 4056000 0",
      "w4050 0 1 0",
    ]);
    expect(lines.slice(1)).toEqual([
      "0 +0 brk start=0x555559554000 end=0x555559554000",
      "0 +0 brk start=0x555559554000 end=0x555559575000",
      "0 +0 w 55555956f000 0 1 first",
    ]);
  });
});

describe("which traces need it", () => {
  const header = { source: "pwf", layout: "native" } as const;
  test("valgrind's, until they are relaid; a kernel's own never", () => {
    expect(needsRelayout(header)).toBe(true);
    expect(needsRelayout({ ...header, layout: "relaid" })).toBe(false);
    expect(needsRelayout({ ...header, source: "perf" })).toBe(false);
  });

  test("a kernel's own trace stays where it was by that kernel's rule, and moves by another's", () => {
    const perf = (i: number, event: string): string => `a 1/1 [000] 7.00000${i}: ${event}\n`;
    const text =
      perf(
        0,
        "syscalls:sys_enter_mmap: addr: 0x0, len: 0x2000, prot: 0x3, flags: 0x22, fd: 0xffffffff, off: 0x0",
      ) +
      perf(1, "syscalls:sys_exit_mmap: 0x7ffff7fc0000") +
      perf(
        2,
        "syscalls:sys_enter_mmap: addr: 0x0, len: 0x400000, prot: 0x3, flags: 0x22, fd: 0xffffffff, off: 0x0",
      ) +
      perf(3, "syscalls:sys_exit_mmap: 0x7ffff7a00000") +
      perf(4, "exceptions:page_fault_user: address=0x7ffff7a00000 ip=0x55 error_code=0x6");
    expect(relaidFrom("perf", text, { alignment: "huge-if-multiple" })).toEqual([
      "0 +1000 map start=0x7ffff7fc0000 length=0x2000 prot=3",
      "0 +2000 map start=0x7ffff7a00000 length=0x400000 prot=3",
      "0 +1000 w 7ffff7a00000 0 1 first fault",
    ]);
    expect(relaidFrom("perf", text, { alignment: "page" }).at(-1)).toBe(
      "0 +1000 w 7ffff7bc0000 0 1 first fault",
    );
  });
});
