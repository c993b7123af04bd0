import { expect, test } from "vitest";
import type { Result } from "../metrics/result.ts";
import { parseScript } from "../workloads/script/parse.ts";
import { simulate } from "./simulation.ts";

/** Runs a script on one node; what its TLB saw and how long it took. */
function run(text: string): Result {
  const script = parseScript(`machine nodes=1 cpus=2 mem=1G\n${text}`, "steady.pw");
  return simulate(script, {}).result;
}

/** The same block twice: one that is only touches, and one with a statement that forbids skipping. */
function both(block: string, time: string): [skipped: Result, run: Result] {
  const before = "set transparent_hugepage/enabled never\ncpu 0\nmap buf 1M\nwrite buf\n";
  const plain = run(`${before}during ${time} {\n${block}\n}\n`);
  const watched = run(`${before}during ${time} {\n${block}\ncpu 0\n}\n`);
  return [plain, watched];
}

test("rounds that are skipped count as if they had been run, to the nanosecond", () => {
  const [skipped, full] = both("read buf\nwrite buf 0..64K", "10ms");
  expect(skipped.tlb).toEqual(full.tlb);
  expect(skipped.runNs).toBe(full.runNs);
});

test("a block that touches pages in an order of its own repeats itself too", () => {
  const [skipped, full] = both("write buf random 7 200", "500us");
  expect(skipped.tlb).toEqual(full.tlb);
  expect(skipped.runNs).toBe(full.runNs);
});

test("a block whose rounds fault is run round by round", () => {
  const result = run("cpu 0\nmap buf 2M\nduring 5ms {\nwrite buf\nadvise buf dontneed\n}\n");
  expect(result.vmstat.pgfault).toBeGreaterThan(10);
});

test("what another thread's pass takes away is missed at once, not at the next tick", () => {
  // Both threads use all pages; whoever comes first to a page behind a pass takes its hint fault.
  //     main ──read──▶ pages of node 0 ◀──read── far, of node 1
  const script = parseScript(
    `machine nodes=2 cpus=2 mem=1G
set transparent_hugepage/enabled never
set sched/numa_balancing/scan_delay_ms 100
set sched/numa_balancing/scan_period_min_ms 100
cpu 0
map buf 1M
write buf
thread far {
  cpu 1
  during 1s {
    read buf
  }
}
during 1s {
  read buf
}
join far
`,
    "steady.pw",
  );
  const { vmstat } = simulate(script, {}).result;
  const pages = 256;
  const passes = Math.round(vmstat.numa_pte_updates! / pages);
  expect(passes).toBeGreaterThanOrEqual(2);
  // Had far missed its pages a tick late, main alone would have had all faults, or far every page.
  expect(vmstat.numa_hint_faults_local).toBeGreaterThan(pages);
  expect(vmstat.numa_pages_migrated).toBeGreaterThan(8);
  expect(vmstat.numa_pages_migrated).toBeLessThan(pages / 2);
});
