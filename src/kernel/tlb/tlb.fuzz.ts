/**
 * Strategy: random references, writes, page-table changes and flushes over two CPUs, on TLBs of every
 * shape, once through the fast look-up and once through a twin that keeps each set as a list of entries,
 * newest first, and searches it.
 *
 * Invariants: both give the same answer to every reference, and the same accessed and dirty bits.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { geometryOf } from "../../core/geometry.ts";
import { makePageTables, type PageTables, PMD, PTE } from "../mm/page-table.ts";
import { lookUp, lookUpPlain, lookUpPlainHuge, NOT_PLAIN } from "./fast.ts";
import type { LevelSpec } from "./level.ts";
import {
  type CpuTlb,
  makeTlb,
  type TlbSpec,
  tlbFlushCpu,
  tlbFlushMm,
  tlbInvalidateHuge,
  tlbInvalidatePage,
  tlbInvalidateRows,
} from "./tlb.ts";

interface Entry {
  readonly key: string;
  writable: boolean;
}

/** One level of one CPU: sets of entries, newest first. */
class TwinLevel {
  readonly spec: LevelSpec;
  readonly sets: Entry[][];
  constructor(spec: LevelSpec) {
    this.spec = spec;
    this.sets = Array.from({ length: spec.entries / spec.ways }, () => []);
  }
  setOf(index: number): Entry[] {
    return this.sets[index % this.sets.length]!;
  }
  find(key: string, index: number): Entry | undefined {
    const set = this.setOf(index);
    const at = set.findIndex((entry) => entry.key === key);
    if (at < 0) return undefined;
    const [entry] = set.splice(at, 1);
    set.unshift(entry!);
    return entry;
  }
  /** At most `hugeWays` entries of a set may be huge pages. */
  insert(entry: Entry, index: number, hugeWays: number): void {
    const set = this.setOf(index);
    const huge = set.filter((each) => each.key.startsWith("huge"));
    if (entry.key.startsWith("huge") && huge.length === hugeWays) set.splice(set.indexOf(huge.at(-1)!), 1);
    else if (set.length === this.spec.ways) set.pop();
    set.unshift({ ...entry });
  }
  drop(gone: (key: string) => boolean): void {
    for (const set of this.sets) set.splice(0, set.length, ...set.filter((entry) => !gone(entry.key)));
  }
}

class Twin {
  readonly small: TwinLevel;
  readonly huge: TwinLevel;
  readonly second: TwinLevel;
  readonly spec: TlbSpec;
  constructor(spec: TlbSpec) {
    this.spec = spec;
    this.small = new TwinLevel(spec.l1Small);
    this.huge = spec.l1Huge === "shared" ? this.small : new TwinLevel(spec.l1Huge);
    this.second = new TwinLevel(spec.l2);
  }
  /** -2 first level, 0 second, 4 or 3 walked, -1 fault. */
  reference(pt: PageTables, row: number, page: number, write: boolean): number {
    const huge = pt.pmd.kind[row]! >= PMD.HUGE;
    const linear = row * pt.geometry.pagesPerHuge + page;
    const key = huge ? `huge ${row}` : `small ${linear}`;
    const index = huge ? row : linear;
    const first = huge ? this.huge : this.small;
    const inFirst = first.find(key, index);
    if (inFirst !== undefined && (!write || inFirst.writable)) return -2;
    const hugeWays = this.spec.l2.hugeWays;
    const mayHold = !huge || hugeWays > 0;
    const inSecond = inFirst === undefined && mayHold ? this.second.find(key, index) : undefined;
    if (inSecond !== undefined && (!write || inSecond.writable)) {
      first.insert(inSecond, index, this.spec.l1Small.ways);
      return 0;
    }
    const writable = walk(pt, row, page, write);
    if (writable === undefined) return -1;
    if (inFirst === undefined) first.insert({ key, writable }, index, this.spec.l1Small.ways);
    else inFirst.writable = writable;
    const copy = this.second.setOf(index).find((entry) => entry.key === key);
    if (copy !== undefined) copy.writable = writable;
    else if (inFirst === undefined && mayHold) this.second.insert({ key, writable }, index, hugeWays);
    return huge ? 3 : 4;
  }
  drop(gone: (key: string) => boolean): void {
    for (const level of [this.small, this.huge, this.second]) level.drop(gone);
  }
}

/** The walk as the manual has it: undefined is a fault, else whether the entry may be cached as writable. */
function walk(pt: PageTables, row: number, page: number, write: boolean): boolean | undefined {
  const huge = pt.pmd.kind[row]! >= PMD.HUGE;
  const column = huge ? pt.pmd.flags : pt.pteFlags;
  const at = huge ? row : pt.pmd.value[row]! * pt.geometry.pagesPerHuge + page;
  let flags = column[at]!;
  if ((flags & PTE.PRESENT) === 0 || (flags & PTE.HINT) !== 0) return undefined;
  if (write && (flags & PTE.WRITE) === 0) return undefined;
  flags |= PTE.YOUNG;
  if (write) flags |= PTE.DIRTY;
  column[at] = flags;
  return (flags & PTE.WRITE) !== 0 && (flags & PTE.DIRTY) !== 0;
}

const SPECS: Readonly<Record<string, TlbSpec>> = {
  "separate first levels": {
    l1Small: { entries: 8, ways: 4 },
    l1Huge: { entries: 4, ways: 4 },
    l2: { entries: 16, ways: 8, hugeWays: 8 },
    walkCaches: "none",
  },
  "one large first level": {
    l1Small: { entries: 18, ways: 18 },
    l1Huge: "shared",
    l2: { entries: 24, ways: 12, hugeWays: 12 },
    walkCaches: "none",
  },
  "a second level that limits huge pages": {
    l1Small: { entries: 4, ways: 4 },
    l1Huge: { entries: 4, ways: 4 },
    l2: { entries: 16, ways: 8, hugeWays: 2 },
    walkCaches: "none",
  },
  "a second level without huge pages": {
    l1Small: { entries: 4, ways: 4 },
    l1Huge: { entries: 4, ways: 4 },
    l2: { entries: 8, ways: 4, hugeWays: 0 },
    walkCaches: "none",
  },
};

const ROWS = 24;
const GEOMETRY = geometryOf(2);
const PAGES = GEOMETRY.pagesPerHuge;

/**
 * Rows of two address spaces: even PMD tables are mm 0's, odd ones mm 1's; rows are spread over four tables.
 */
const rowOf = (i: number) => (i % 4) * 512 + Math.floor(i / 4);

/** Half of the rows are huge; flags are random. */
function mapped(flagsOf: readonly number[]): PageTables {
  const pt = makePageTables(GEOMETRY, ROWS);
  for (let table = 0; table < 4; table += 1) pt.pmdTables.mm[table] = table % 2;
  for (let i = 0; i < ROWS; i += 1) {
    const row = rowOf(i);
    pt.pmd.kind[row] = i % 3 === 0 ? PMD.HUGE : PMD.TABLE;
    pt.pmd.value[row] = i;
    pt.pmd.flags[row] = flagsOf[i]!;
    for (let page = 0; page < PAGES; page += 1) pt.pteFlags[i * PAGES + page] = flagsOf[(i + page) % ROWS]!;
  }
  return pt;
}

const flags = fc.constantFrom(
  PTE.PRESENT | PTE.WRITE,
  PTE.PRESENT | PTE.WRITE,
  PTE.PRESENT | PTE.WRITE | PTE.DIRTY,
  PTE.PRESENT | PTE.WRITE | PTE.DIRTY | PTE.YOUNG,
  PTE.PRESENT,
  PTE.PRESENT | PTE.HINT,
  0,
);
const step = fc.record({
  what: fc.constantFrom(...Array<string>(30).fill("touch"), "flags", "page", "huge", "rows", "mm", "cpu"),
  i: fc.nat(ROWS - 1),
  page: fc.nat(PAGES - 1),
  write: fc.boolean(),
  cpu: fc.nat(1),
  flags,
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function changeFlags(pt: PageTables, { i, page, flags: value }: Step): void {
  if (pt.pmd.kind[rowOf(i)] === PMD.HUGE) pt.pmd.flags[rowOf(i)] = value;
  else pt.pteFlags[i * PAGES + page] = value;
}

/** As the reference loop does it: plainly if that is possible. */
function lookUpFastest(pt: PageTables, t: CpuTlb, linear: number, write: 0 | 1): number {
  const kind = pt.pmd.kind[linear >>> GEOMETRY.hugeOrder]!;
  const plain = kind === PMD.TABLE ? lookUpPlain : lookUpPlainHuge;
  const found = plain(pt, t, linear, write);
  return found === NOT_PLAIN ? lookUp(pt, t, kind, linear, write) : found;
}

function runBoth(spec: TlbSpec, initial: readonly number[], steps: readonly Step[]): void {
  const fast = mapped(initial);
  const slow = mapped(initial);
  const tlb = makeTlb(spec, 2, GEOMETRY.hugeOrder);
  const twins = [new Twin(spec), new Twin(spec)];
  const tableOf = (key: string) => {
    const [size, number] = key.split(" ");
    return Math.floor(Number(number) / (size === "huge" ? 512 : 512 * PAGES));
  };
  for (const each of steps) {
    const { what, i, page, write, cpu } = each;
    const row = rowOf(i);
    const linear = row * PAGES + page;
    if (what === "touch") {
      const found = lookUpFastest(fast, tlb.of[cpu]!, linear, write ? 1 : 0);
      expect(found).toBe(twins[cpu]!.reference(slow, row, page, write));
    } else if (what === "flags") {
      changeFlags(fast, each);
      changeFlags(slow, each);
    } else if (what === "page") {
      tlbInvalidatePage(tlb, cpu, linear);
      twins[cpu]!.drop((key) => key === `small ${linear}`);
    } else if (what === "huge") {
      tlbInvalidateHuge(tlb, cpu, row);
      twins[cpu]!.drop((key) => key === `huge ${row}`);
    } else if (what === "rows") {
      tlbInvalidateRows(tlb, cpu, row - (row % 512), row);
      const among = (r: number) => r >= row - (row % 512) && r <= row;
      const rowOfKey = (key: string) => Number(key.split(" ")[1]) / (key.startsWith("huge") ? 1 : PAGES);
      twins[cpu]!.drop((key) => among(Math.floor(rowOfKey(key))));
    } else if (what === "mm") {
      tlbFlushMm(tlb, cpu, i % 2, fast.pmdTables.mm);
      twins[cpu]!.drop((key) => tableOf(key) % 2 === i % 2);
    } else {
      tlbFlushCpu(tlb, cpu);
      twins[cpu]!.drop(() => true);
    }
  }
  expect(fast.pteFlags).toEqual(slow.pteFlags);
  for (let i = 0; i < ROWS; i += 1) expect(fast.pmd.flags[rowOf(i)]).toBe(slow.pmd.flags[rowOf(i)]);
}

test.each(Object.keys(SPECS))("%s: answers like lists of entries", (name) => {
  const scenario = [
    fc.array(flags, { minLength: ROWS, maxLength: ROWS }),
    fc.array(step, { minLength: 1, maxLength: 400, size: "max" }),
  ] as const;
  fc.assert(
    fc.property(...scenario, (initial, steps) => runBoth(SPECS[name]!, initial, steps)),
    {
      numRuns: 80,
    },
  );
});
