/**
 * Beliefs about the whole kernel state, by name. Unit tests, `--verify`, fuzzers and the explorer run the
 * same list.
 *
 * They hold between paths: while a path is under way, what it has half done may break them.
 */
import { asPfn, PAGE_BYTES } from "../core/units.ts";
import { FRAME } from "./mm/frames.ts";
import { ENTRIES_PER_TABLE, PMD, PTE } from "./mm/page-table.ts";
import { headOf } from "./mm/rmap.ts";
import type { Kernel } from "./state.ts";

export interface Invariant {
  readonly belief: string;
  /** Undefined when it holds; else what is wrong, with numbers. */
  readonly check: (k: Kernel, mapped: Mapped) => string | undefined;
}

/** What the page tables map, counted in one walk. */
export interface Mapped {
  readonly ptes: Map<number, number>;
  readonly pmds: Map<number, number>;
  readonly anonOfMm: Map<number, number>;
  readonly hugeOfMm: Map<number, number>;
  readonly swap: Map<number, number>;
}

function add(map: Map<number, number>, key: number, count: number): void {
  map.set(key, (map.get(key) ?? 0) + count);
}

/** Walks every page table. */
export function countMappings(k: Kernel): Mapped {
  const mapped: Mapped = {
    ptes: new Map(),
    pmds: new Map(),
    anonOfMm: new Map(),
    hugeOfMm: new Map(),
    swap: new Map(),
  };
  const { pt } = k;
  for (let table = 0; table < pt.nextPmdTable; table++) {
    const mm = pt.pmdTables.mm[table]!;
    if (mm < 0 || pt.pmdTables.used[table] === 0) continue;
    for (let row = table * ENTRIES_PER_TABLE; row < (table + 1) * ENTRIES_PER_TABLE; row++) {
      countRow(k, row, mm, mapped);
    }
  }
  return mapped;
}

function countRow(k: Kernel, row: number, mm: number, mapped: Mapped): void {
  const { pt, geometry } = k;
  const kind = pt.pmd.kind[row];
  if (kind === PMD.HUGE) {
    add(mapped.pmds, pt.pmd.value[row]!, 1);
    add(mapped.anonOfMm, mm, geometry.pagesPerHuge);
    add(mapped.hugeOfMm, mm, 1);
  }
  if (kind !== PMD.TABLE) return;
  const from = pt.pmd.value[row]! * geometry.pagesPerHuge;
  for (let i = from; i < from + geometry.pagesPerHuge; i++) {
    const flags = pt.pteFlags[i]!;
    if ((flags & PTE.SWAP) !== 0) add(mapped.swap, pt.ptePfn[i]!, 1);
    else if ((flags & (PTE.PRESENT | PTE.ZERO | PTE.FILE)) === PTE.PRESENT) {
      add(mapped.ptes, pt.ptePfn[i]!, 1);
      if ((k.frames.flags[headOf(k, asPfn(pt.ptePfn[i]!))]! & FRAME.ANON) !== 0) add(mapped.anonOfMm, mm, 1);
    }
  }
}

function firstWrong(
  entries: Iterable<readonly [number, number]>,
  actual: (key: number) => number,
  what: string,
): string | undefined {
  for (const [key, expected] of entries) {
    if (actual(key) !== expected) return `${what} ${key} has ${actual(key)}, the page tables say ${expected}`;
  }
  return undefined;
}

export const INVARIANTS: readonly Invariant[] = [
  {
    belief: "a page's map count is the number of PTEs that map it",
    check: (k, m) => firstWrong(m.ptes, (pfn) => k.frames.mapCount[pfn]!, "mapCount of frame"),
  },
  {
    belief: "a huge page's map count is the number of PMDs that map it",
    check: (k, m) =>
      firstWrong(m.pmds, (pfn) => k.blocks.hugeMapCount[pfn >> k.geometry.hugeOrder]!, "huge mapCount of"),
  },
  {
    belief: "an address space's anonymous pages are those that its page tables map",
    check: (k, m) => {
      for (const mm of k.mms) {
        if (mm === undefined || mm.anonPages === (m.anonOfMm.get(mm.id) ?? 0)) continue;
        return `mm ${mm.id} counts ${mm.anonPages}, its page tables map ${m.anonOfMm.get(mm.id) ?? 0}`;
      }
      return undefined;
    },
  },
  {
    belief: "an address space's huge PMDs are those that its page tables hold",
    check: (k, m) => {
      for (const mm of k.mms) {
        if (mm === undefined || mm.hugePmds === (m.hugeOfMm.get(mm.id) ?? 0)) continue;
        return `mm ${mm.id} counts ${mm.hugePmds}, its page tables hold ${m.hugeOfMm.get(mm.id) ?? 0}`;
      }
      return undefined;
    },
  },
  { belief: "every reference of a mapped page has an owner", check: wrongReference },
  {
    belief: "a swap slot's use count is the number of entries that name it",
    check: (k, m) => firstWrong(m.swap, (slot) => k.swap.useCount[slot]!, "swap slot"),
  },
  { belief: "no mapped page is free or beyond the machine", check: wrongTotal },
];

/** A mapped page's references: its mappings, its LRU batch, its pins, shared memory. */
function wrongReference(k: Kernel, m: Mapped): string | undefined {
  const expected = new Map<number, number>();
  for (const [pfn, count] of m.ptes) add(expected, headOf(k, asPfn(pfn)), count);
  for (const [head, count] of m.pmds) add(expected, head, count);
  for (const [head, count] of k.pins) add(expected, head, count);
  for (const [pfn, count] of expected) {
    if ((k.frames.flags[pfn]! & FRAME.ANON) === 0) continue;
    const batched = (k.frames.flags[pfn]! & FRAME.BATCHED) !== 0 ? 1 : 0;
    const actual = k.frames.refCount[pfn]!;
    if (actual !== count + batched)
      return `frame ${pfn} has ${actual} references, ${count + batched} have owners`;
  }
  return undefined;
}

/** Every mapped frame is neither free nor out of range. */
function wrongTotal(k: Kernel, m: Mapped): string | undefined {
  const frames = k.machine.memBytes / PAGE_BYTES;
  for (const pfn of m.ptes.keys()) {
    if (pfn >= frames) return `frame ${pfn} is mapped, the machine has ${frames}`;
    if ((k.frames.flags[pfn]! & (FRAME.BUDDY | FRAME.PCP)) !== 0) return `frame ${pfn} is mapped and free`;
  }
  return undefined;
}

/** The beliefs that do not hold, each with what was found. */
export function violations(k: Kernel): string[] {
  const mapped = countMappings(k);
  const broken: string[] = [];
  for (const { belief, check } of INVARIANTS) {
    const found = check(k, mapped);
    if (found !== undefined) broken.push(`${belief}: ${found}`);
  }
  return broken;
}
