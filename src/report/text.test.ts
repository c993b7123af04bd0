import { expect, test } from "vitest";
import { sampleHuge, sampleResult } from "../../test/samples/results.ts";
import { answerOf } from "./answer.ts";
import { PLAIN, renderText, type TextOptions } from "./text.ts";

const OPTIONS: TextOptions = {
  version: "1.2.3",
  mode: "human",
  counters: false,
  widthChars: 100,
  painter: PLAIN,
};
const columns = [
  { name: "thp=never", result: sampleResult() },
  { name: "thp=madvise", result: sampleResult() },
  { name: "thp=always", result: sampleHuge() },
];

test("the comparison reads as a person needs it", () => {
  const measurements = [{ column: "thp=always", source: "Linux 6.18", hugePages: 20, pageFaults: 615 }];
  expect(renderText(columns, { ...OPTIONS, measurements })).toMatchInlineSnapshot(`
    "Pagewise 1.2.3  ·  sample  ·  1,024 faults, 1 s, 1 process, 4 MiB touched
    machine nodes=1 cpus=2 mem=24G  ·  hardware zen4  ·  kernel linux-6.18  ·  seed 1

    Against “thp=never”, “thp=madvise” changes nothing that matters.
    Against “thp=never”, “thp=always” costs 7% more memory at its peak, a wait of 176 µs instead of
      1.5 µs in one page fault of a hundred and 2.9 times the time in page faults; it saves 71% of the
      TLB misses and 2.8% of the run time.

                                        thp=never  thp=madvise      thp=always
    memory
      memory the program touched, peak      4 MiB        4 MiB     4 MiB
      resident memory, peak                 4 MiB        4 MiB  4.29 MiB   +7%
      resident memory, mean                 2 MiB        2 MiB  2.15 MiB   +7%
      largest process, peak                 4 MiB        4 MiB  4.29 MiB   +7%
      bloat (never touched), peak             0 B          0 B   292 KiB
      bloat at the end                        0 B          0 B   292 KiB
    huge pages
      given at first touch                      0            0        20
      made later (khugepaged)                   0            0         1
      broken up again                           0            0         0
      wanted, not available                     0            0         0
      memory under huge pages, peak           0 B          0 B     4 MiB
      share under huge pages, mean             0%           0%       93%
    page faults
      page faults                           1,024        1,024       620  -39%
      · new small page                      1,024        1,024       600  -41%
      · new huge page                           0            0        20
      fault time, total                   1.54 ms      1.54 ms   4.42 ms  ×2.9
      one fault, p50                       1.5 µs       1.5 µs    1.5 µs
      one fault, p99                       1.5 µs       1.5 µs    176 µs  ×117
      one fault, p99.9                     1.5 µs       1.5 µs    176 µs  ×117
      one fault, longest                   1.5 µs       1.5 µs    176 µs  ×117
    address translation
      TLB misses                              310          310        90  -71%
      TLB misses per 1000 references          3.1          3.1       0.9  -71%
      page-walk time                       9.3 µs       9.3 µs    1.5 µs  -84%
    the kernel's work
      khugepaged time                         0 s          0 s      2 ms
      compaction time                         0 s          0 s       0 s
      simulated run time                      1 s          1 s    972 ms -2.8%

    How far to trust this: thp=always against Linux 6.18: huge pages at first touch 20, measured 20;
      page faults 620, measured 615 (+0.8%).
      The model of linux-6.18 is judged by six real programs under THP=never and always: see
      docs/FIDELITY.md.
      Counts (faults, huge pages, memory) follow the kernel's rules. Times follow the cost figures of
      zen4, each with its source or marked as assumed: read them as relations.
    "
  `);
});

test("a table that is too wide goes on below, each part with the first column", () => {
  const text = renderText(columns, { ...OPTIONS, widthChars: 66 });
  const heads = text.split("\n").filter((line) => /^\s+thp=never/.test(line));
  expect(heads.map((line) => line.trim().split(/\s+/))).toEqual([
    ["thp=never", "thp=madvise"],
    ["thp=never", "thp=always"],
  ]);
});

test("raw figures are plain numbers, and --counters adds every counter under its name", () => {
  const text = renderText(columns, { ...OPTIONS, mode: "raw", counters: true });
  expect(text).toMatch(/resident memory, peak +4194304 +4194304 +4493312 +\+7%/);
  expect(text).toMatch(/thp_fault_alloc +0 +0 +20/);
});

test("the answer names what a setting costs and saves, and says when it changes nothing", () => {
  expect(answerOf(columns)).toEqual([
    "Against “thp=never”, “thp=madvise” changes nothing that matters.",
    "Against “thp=never”, “thp=always” costs 7% more memory at its peak, a wait of 176 µs " +
      "instead of 1.5 µs in one page fault of a hundred and 2.9 times the time in page faults; " +
      "it saves 71% of the TLB misses and 2.8% of the run time.",
  ]);
});

test("settings with the same consequence share a sentence", () => {
  const twice = [columns[0]!, columns[2]!, { name: "always too", result: columns[2]!.result }];
  expect(answerOf(twice)).toHaveLength(1);
  expect(answerOf(twice)[0]).toMatch(/“thp=always” and “always too” each costs 7% more memory/);
  const thrice = [...twice, { name: "once more", result: columns[2]!.result }];
  expect(answerOf(thrice)[0]).toMatch(/“thp=always”, “always too” and “once more” each costs/);
});

test("running out of memory is the answer when it happens", () => {
  expect(answerOf([columns[0]!, { name: "small", result: sampleResult({ outcome: "oom" }) }])).toEqual([
    "Against “thp=never”, “small” runs out of memory.",
  ]);
});

test("100 % are saved of what is gone altogether, and of nothing else", () => {
  const tlb = (misses: number) => sampleResult({ tlb: { ...sampleResult({}).tlb, walks: misses } });
  const columnsOf = (left: number) => [
    { name: "before", result: tlb(16_384) },
    { name: "after", result: tlb(left) },
  ];
  expect(answerOf(columnsOf(32)).join()).toContain("99.8% of the TLB misses");
  expect(answerOf(columnsOf(0)).join()).toContain("100% of the TLB misses");
});

test("a program that is refused its memory is no measure of anything", () => {
  const failedCalls = [{ call: "mmap", errno: 12, count: 1 }];
  const nothing = sampleResult({ touchedPeakKb: 0, failedCalls });
  const told = "is refused its memory (mmap: ENOMEM) and touches none";
  expect(answerOf([{ name: "small", result: nothing }])).toEqual([`Under small the program ${told}.`]);
  const both = ["a", "b"].map((name) => ({ name, result: nothing }));
  expect(answerOf(both)).toEqual([`Under every setting the program ${told}.`]);
  expect(answerOf([columns[0]!, { name: "small", result: nothing }])).toEqual([
    `Against “thp=never”, “small” ${told}.`,
  ]);
});

test("one column alone is told in absolute figures", () => {
  expect(answerOf([columns[0]!])).toEqual([
    "Under thp=never the program takes 4 MiB at its peak; its 1,024 page faults take 1.54 ms in all.",
  ]);
});
