/**
 * NUMA balancing against recordings of Debian's 6.1 in a virtual machine that ran 10 to 20 times slower than
 * real hardware, and slower still where the name begins with `numa-live`.
 *
 * What is compared, and how:
 *   placement at every snapshot      exactly; within 1 % of the region where the recording has stragglers
 *                                    (pages that were in an LRU batch when the scanner came)
 *   huge pages migrated              exactly
 *   base pages migrated              within 1 %, and the program's own pages (its stack, its data) on top
 *   passes                           their number may differ by one; what each did may not: marks, faults and
 *                                    failures are compared per pass
 *   ratios of marks and faults       as the kernel's rules give them, on each side for itself
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ScriptLine } from "../src/engine/simulate.ts";
import { simulate } from "../src/engine/simulation.ts";
import { generationByName } from "../src/generations/index.ts";
import { runModel } from "../src/validate/model.ts";
import { parseScript } from "../src/workloads/script/parse.ts";

interface Snapshot {
  readonly vmstat: Readonly<Record<string, number>>;
  readonly maps: Readonly<Record<string, { readonly node_pages: readonly number[] }>>;
}

const FOLDER = join(import.meta.dirname, "recordings");
const recordings = (prefix: string): string[] =>
  readdirSync(FOLDER)
    .filter((file) => file.startsWith(prefix) && file.endsWith(".pw"))
    .map((file) => file.replace(".pw", ""))
    .sort();
const names = recordings("numa-");

/** Pages of the recorded program that are no region of the script's. */
const OWN_PAGES = 256;
const PAGES_PER_HUGE = 512;

function modelOf(name: string): Map<string, Snapshot> {
  const script = parseScript(readFileSync(join(FOLDER, name + ".pw"), "utf8"), name);
  const generation = generationByName("linux-6.1")!;
  const options = { generation, hugeZeroAllocated: false, verify: false };
  const { lines } = runModel(script, { ...options, stacksWhereUsed: !name.includes("-live-") });
  const snapshots = lines.filter((line): line is Extract<ScriptLine, Snapshot> => "snapshot" in line);
  return new Map(snapshots.map((line) => [line.snapshot, line as Snapshot]));
}

/**
 * The same script on the usual hardware, as `pagewise run` has it: whatever takes time takes another time.
 */
function onHardware(name: string): Map<string, Snapshot> {
  const script = parseScript(readFileSync(join(FOLDER, name + ".pw"), "utf8"), name);
  const { lines } = simulate(script, { generation: "linux-6.1" });
  const snapshots = lines.filter((line): line is Extract<ScriptLine, Snapshot> => "snapshot" in line);
  return new Map(snapshots.map((line) => [line.snapshot, line as Snapshot]));
}

function kernelOf(name: string): Map<string, Snapshot> {
  const { snapshots } = JSON.parse(readFileSync(join(FOLDER, name + ".json"), "utf8"));
  return new Map(Object.entries(snapshots as Record<string, Snapshot>));
}

/** Regions whose pages are elsewhere; empty when all agree. */
function misplacedRegions(model: Snapshot, kernel: Snapshot): string[] {
  return Object.entries(kernel.maps).flatMap(([region, { node_pages: theirs }]) => {
    const mine = model.maps[region]!.node_pages;
    const total = theirs.reduce((sum, pages) => sum + pages, 0);
    const stragglers = theirs.some((pages) => pages % PAGES_PER_HUGE !== 0);
    const allowed = stragglers ? Math.ceil(total / 100) : 0;
    const wrong = theirs.some((pages, node) => Math.abs(pages - (mine[node] ?? 0)) > allowed);
    return wrong ? [`${region}: kernel ${theirs.join("/")}, model ${mine.join("/")}`] : [];
  });
}

const count = ({ vmstat }: Snapshot, name: string): number => vmstat[name] ?? 0;

describe.each(names)("%s", (name) => {
  const model = modelOf(name);
  const kernel = kernelOf(name);

  test("every page is where the kernel put it", () => {
    expect([...model.keys()]).toEqual([...kernel.keys()]);
    for (const [label, theirs] of kernel) expect(misplacedRegions(model.get(label)!, theirs)).toEqual([]);
  });

  test("as many pages were migrated", () => {
    for (const [label, theirs] of kernel) {
      const mine = model.get(label)!;
      expect(count(mine, "thp_migration_success")).toBe(count(theirs, "thp_migration_success"));
      for (const counter of ["numa_pages_migrated", "pgmigrate_success"]) {
        const wanted = count(theirs, counter);
        const distance = wanted - count(mine, counter);
        expect(Math.abs(distance)).toBeLessThanOrEqual(wanted / 100 + OWN_PAGES / 4);
      }
    }
  });

  test("a pass does what it did in the kernel", () => {
    for (const [label, theirs] of kernel) {
      const mine = model.get(label)!;
      const huge = count(mine, "thp_fault_alloc");
      const passes = (of: Snapshot) => (huge === 0 ? 1 : count(of, "numa_huge_pte_updates") / huge);
      expect(Math.abs(passes(mine) - passes(theirs))).toBeLessThanOrEqual(1);
      // The other program's machine had its CPUs to itself: there the number is the kernel's.
      if (!name.includes("-live-")) expect(passes(mine)).toBe(passes(theirs));
      const marks = (of: Snapshot) =>
        count(of, "numa_pte_updates") - PAGES_PER_HUGE * count(of, "numa_huge_pte_updates");
      expect(Math.abs(marks(mine) - marks(theirs))).toBeLessThanOrEqual(OWN_PAGES);
      // Every mark that is used faults once: a huge page once a pass.
      const faults = (of: Snapshot) => count(of, "numa_hint_faults") - count(of, "numa_huge_pte_updates");
      expect(Math.abs(faults(mine) - faults(theirs))).toBeLessThanOrEqual(OWN_PAGES);
      const failures = (of: Snapshot) => count(of, "thp_migration_fail") / Math.max(1, passes(of));
      expect(failures(mine)).toBe(failures(theirs));
    }
  });

  test("a huge page counts 512 marks, fails and moves whole; a mark faults at most once", () => {
    /** Marks of base pages, and marks that nobody has come upon: pages that nobody uses keep theirs. */
    const marksOf = (of: Snapshot) => {
      const huge = count(of, "numa_huge_pte_updates");
      const base = count(of, "numa_pte_updates") - PAGES_PER_HUGE * huge;
      return { base, unused: base + huge - count(of, "numa_hint_faults") };
    };
    for (const [label, theirs] of kernel) {
      const mine = model.get(label)!;
      for (const of of [mine, theirs]) {
        expect(marksOf(of).base).toBeGreaterThanOrEqual(0);
        expect(marksOf(of).unused).toBeGreaterThanOrEqual(0);
        expect(count(of, "pgmigrate_fail")).toBe(PAGES_PER_HUGE * count(of, "thp_migration_fail"));
        const baseMoves =
          count(of, "numa_pages_migrated") - PAGES_PER_HUGE * count(of, "thp_migration_success");
        expect(baseMoves).toBeGreaterThanOrEqual(0);
        expect(baseMoves).toBeLessThanOrEqual(count(of, "numa_hint_faults"));
      }
      expect(Math.abs(marksOf(mine).unused - marksOf(theirs).unused)).toBeLessThanOrEqual(OWN_PAGES);
    }
  });
});

const onNodesWithoutCpus = ["numa-live-memonly"];

test.each(names.filter((name) => !name.includes("-live-") || onNodesWithoutCpus.includes(name)))(
  "%s: `pagewise run` ends in the same places, on whatever hardware",
  (name) => {
    const model = onHardware(name);
    for (const [label, theirs] of kernelOf(name)) {
      const mine = model.get(label)!;
      expect(misplacedRegions(mine, theirs)).toEqual([]);
      expect(count(mine, "thp_migration_success")).toBe(count(theirs, "thp_migration_success"));
    }
  },
);

describe.each(recordings("protect-"))("%s", (name) => {
  test("what mprotect changes counts as a huge mark, and nowhere else", () => {
    const kernel = kernelOf(name);
    const model = modelOf(name);
    for (const [label, theirs] of kernel) {
      const mine = model.get(label)!;
      expect(misplacedRegions(mine, theirs)).toEqual([]);
      for (const counter of ["numa_huge_pte_updates", "thp_migration_success"])
        expect(count(mine, counter)).toBe(count(theirs, counter));
      expect(
        Math.abs(count(mine, "numa_pte_updates") - count(theirs, "numa_pte_updates")),
      ).toBeLessThanOrEqual(OWN_PAGES);
    }
  });
});

test("there are recordings", () => {
  expect(names.length).toBeGreaterThan(30);
});
