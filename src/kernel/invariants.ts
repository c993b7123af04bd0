/**
 * Beliefs about the whole kernel state, by name. Unit tests, `--verify`, fuzzers and the explorer run the
 * same list. What paths may not do on their way is the other half of the list, in `invariants-paths.ts`.
 *
 * They hold between paths: while a path is under way, what it has half done may break them.
 *
 * Models:       nothing of the kernel: what must be true of any of its states.
 * Not modelled: beliefs about what came before (order, counters that only grow).
 */
import { C } from "../core/counters.ts";
import { asCpu, asPfn, asPmdRow, NO_FRAME, type Pfn } from "../core/units.ts";
import { type Census, takeCensus } from "./census.ts";
import { FRAME_BELIEFS } from "./invariants-frames.ts";
import { PATH_BELIEFS } from "./invariants-paths.ts";
import { RESERVATION_BELIEFS } from "./invariants-reservations.ts";
import { FRAME } from "./mm/frames.ts";
import type { Mm } from "./mm/mm.ts";
import { ENTRIES_PER_TABLE, PMD, PTE } from "./mm/page-table.ts";
import { headOf } from "./mm/rmap.ts";
import { wrongQueue } from "./numa/autonuma/queue.ts";
import { slotOf } from "./reclaim/swap-cache.ts";
import type { Kernel } from "./state.ts";
import { type Level, tagsOf } from "./tlb/level.ts";
import { HUGE_KEY } from "./tlb/tlb.ts";

export interface Invariant {
  readonly belief: string;
  /** Undefined when it holds; else what is wrong, with numbers. */
  readonly check: (k: Kernel, census: Census) => string | undefined;
}

export const INVARIANTS: readonly Invariant[] = [
  { belief: "areas are in order, do not overlap, and know their anon_vmas", check: wrongArea },
  { belief: "what is mapped lies in an area, and every table counts its rows", check: (_k, c) => c.wrong },
  { belief: "an address space's figures are those of its page tables", check: wrongFigures },
  { belief: "the sums over all address spaces are their figures' sums", check: wrongTotals },
  { belief: "a PTE table is in use or free, and a free one is empty", check: wrongTables },
  {
    belief: "a swap slot counts the entries that name it, and its page in the swap cache knows it",
    check: wrongSlot,
  },
  ...FRAME_BELIEFS,
  ...RESERVATION_BELIEFS,
  { belief: "AutoNUMA's queues hold what they count, and each page once", check: wrongQueue },
  { belief: "khugepaged's list has each registered address space once", check: wrongList },
  { belief: "no TLB of a CPU in use knows more than the page tables allow", check: wrongTlb },
];

function wrongArea(k: Kernel): string | undefined {
  const active = new Map<number, number>();
  for (const mm of k.mms) {
    const found = mm === undefined ? undefined : wrongAreaOf(mm, active);
    if (found !== undefined) return found;
  }
  for (const anonVma of k.rmap.anonVmas) {
    const count = anonVma === undefined ? 0 : (active.get(anonVma.id) ?? 0);
    if (anonVma !== undefined && anonVma.active !== count)
      return `anon_vma ${anonVma.id} counts ${anonVma.active} areas of its own, ${count} have it`;
  }
  return undefined;
}

function wrongAreaOf(mm: Mm, active: Map<number, number>): string | undefined {
  let end = 0;
  for (const vma of mm.vmas) {
    if (vma.start < end || vma.end <= vma.start)
      return `[${vma.start}, ${vma.end}) follows what ends at ${end}`;
    end = vma.end;
    const own = vma.anonVma;
    if (own !== undefined) active.set(own.id, (active.get(own.id) ?? 0) + 1);
    if (own !== undefined && !vma.chain.includes(own))
      return `the area at ${vma.start} lacks its own anon_vma`;
    for (const anonVma of vma.chain)
      if (!anonVma.vmas.includes(vma)) return `anon_vma ${anonVma.id} does not know the area at ${vma.start}`;
  }
  return undefined;
}

function wrongFigures(k: Kernel, census: Census): string | undefined {
  for (const mm of k.mms) {
    if (mm === undefined) continue;
    const found = census.mms.get(mm.id)!;
    for (const name of Object.keys(found) as (keyof typeof found)[]) {
      // File pages that the trace tells of are in no page table of ours.
      if (name === "filePages" && mm.filePagesFromTrace) continue;
      if (mm[name] !== found[name])
        return `mm ${mm.id} counts ${mm[name]} ${name}, its page tables hold ${found[name]}`;
    }
  }
  return undefined;
}

function wrongTotals(k: Kernel, census: Census): string | undefined {
  let resident = 0;
  let huge = 0;
  let touched = 0;
  for (const mm of k.mms) {
    if (mm === undefined) continue;
    resident += mm.anonPages + mm.filePages;
    huge += mm.hugePmds;
    touched += mm.touchedPages;
  }
  const { totals } = k;
  if (totals.resident !== resident) return `${totals.resident} resident pages in all, ${resident} summed up`;
  if (totals.huge !== huge) return `${totals.huge} huge PMDs in all, ${huge} summed up`;
  if (totals.touched !== touched) return `${totals.touched} touched pages in all, ${touched} summed up`;
  const counted = k.vmstat[C.nr_page_table_pages]!;
  const tables = census.lowerTables;
  return counted === tables ? undefined : `nr_page_table_pages is ${counted}, there are ${tables}`;
}

/** Free tables that are looked at: those that will be taken next. */
const FREE_TABLES_LOOKED_AT = 16;

function wrongTables(k: Kernel, census: Census): string | undefined {
  const { pt, geometry } = k;
  const inUse = pt.nextPteTable - pt.freePteTables.length;
  if (inUse !== census.pteTables) return `${inUse} PTE tables are taken, ${census.pteTables} are in use`;
  for (const slot of pt.freePteTables.slice(-FREE_TABLES_LOOKED_AT)) {
    const from = slot * geometry.pagesPerHuge;
    for (let i = from; i < from + geometry.pagesPerHuge; i++)
      if (pt.pteFlags[i] !== 0) return `the free PTE table ${slot} has an entry`;
  }
  return undefined;
}

function wrongSlot(k: Kernel, census: Census): string | undefined {
  let free = 0;
  for (let slot = 0; slot < census.slotUses.length; slot++) {
    const counted = k.swap.useCount[slot]!;
    const cached = k.swap.cachedPage[slot]!;
    if (counted === 0 && cached === NO_FRAME) free++;
    if (cached !== NO_FRAME && slotOfPage(k, asPfn(cached)) !== slot)
      return `swap slot ${slot} has frame ${cached} in the swap cache, which does not know it`;
    if (counted !== census.slotUses[slot])
      return `swap slot ${slot} counts ${counted} entries, ${census.slotUses[slot]} name it`;
  }
  return free === k.swap.free ? undefined : `${k.swap.free} swap slots count as free, ${free} are`;
}

/** The slot that a base page of the swap cache says it has; -1 if it is in none. */
function slotOfPage(k: Kernel, pfn: Pfn): number {
  const head = headOf(k, pfn);
  if ((k.frames.flags[head]! & FRAME.SWAPCACHE) === 0) return -1;
  return slotOf(k, head) + (pfn - head);
}

function wrongList(k: Kernel): string | undefined {
  const { list, mm: cursor } = k.khugepaged;
  for (const mm of k.mms) {
    if (mm === undefined) continue;
    const times = list.filter((each) => each === mm).length;
    if (times !== (mm.registered ? 1 : 0)) return `mm ${mm.id} is on the list ${times} times`;
  }
  if (list.some((mm) => k.mms[mm.id] !== mm)) return "an address space on the list is gone";
  return cursor === undefined || list.includes(cursor) ? undefined : "the cursor is in none of the list";
}

function wrongTlb(k: Kernel): string | undefined {
  for (const [cpu, { l1Small, l1Huge, l2 }] of k.tlb.of.entries()) {
    for (const level of l1Huge === l1Small ? [l1Small, l2] : [l1Small, l1Huge, l2]) {
      const found = wrongLevel(k, level, cpu);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function wrongLevel(k: Kernel, level: Level, cpu: number): string | undefined {
  const { pt } = k;
  for (const tag of tagsOf(level)) {
    const key = tag >>> 1;
    const huge = key >= HUGE_KEY;
    const row = asPmdRow(huge ? key - HUGE_KEY : key >>> k.geometry.hugeOrder);
    const mm = k.mms[pt.pmdTables.mm[Math.floor(row / ENTRIES_PER_TABLE)]!];
    // A CPU that has left the address space forgets what was flushed meanwhile when it comes back.
    if (mm === undefined || mm.cpus[asCpu(cpu)] === 0) continue;
    const flags = huge ? hugeFlags(k, row) : smallFlags(k, row, key & (k.geometry.pagesPerHuge - 1));
    const needed = PTE.PRESENT | ((tag & 1) !== 0 ? PTE.WRITE | PTE.DIRTY : 0);
    if ((flags & (needed | PTE.HINT)) !== needed)
      return `CPU ${cpu} knows ${huge ? `huge row ${row}` : `page ${key}`} with ${needed}, it has ${flags}`;
  }
  return undefined;
}

function hugeFlags(k: Kernel, row: number): number {
  const kind = k.pt.pmd.kind[row];
  return kind === PMD.HUGE || kind === PMD.HUGE_ZERO ? k.pt.pmd.flags[row]! : 0;
}

function smallFlags(k: Kernel, row: number, index: number): number {
  if (k.pt.pmd.kind[row] !== PMD.TABLE) return 0;
  return k.pt.pteFlags[k.pt.pmd.value[row]! * k.geometry.pagesPerHuge + index]!;
}

/** The beliefs that do not hold, each with what was found. */
export function violations(k: Kernel): string[] {
  const census = takeCensus(k);
  const broken: string[] = [];
  for (const { belief, check } of INVARIANTS) {
    const found = check(k, census);
    if (found !== undefined) broken.push(`${belief}: ${found}`);
  }
  return broken;
}

/** The one list, in words: what must be true between paths, then what of paths. */
export const BELIEFS: readonly string[] = [
  ...INVARIANTS.map(({ belief }) => belief),
  ...Object.values(PATH_BELIEFS).map(({ belief }) => belief),
];
