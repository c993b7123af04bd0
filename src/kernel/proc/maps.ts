/**
 * What /proc/PID/smaps and numa_maps say of a range: resident, huge and swapped memory, and the nodes it is
 * on.
 *
 * Models:       fs/proc/task_mmu.c smaps_pte_range(), gather_stats(), v6.1. A range is summed over the whole
 *               areas that it overlaps, as a reader of smaps would.
 * Not modelled: Pss, Referenced, dirtiness.
 */
import { asPfn, NO_ROW, PAGE_BYTES } from "../../core/units.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { FRAME } from "../mm/frames.ts";
import type { Mm } from "../mm/mm.ts";
import { PMD, PTE, vpnOfRow } from "../mm/page-table.ts";
import { headOf } from "../mm/rmap.ts";
import { nextUsedRow } from "../mm/tables.ts";
import { VM_ACCESS, type Vma, vmaIndex } from "../mm/vma.ts";
import type { Kernel } from "../state.ts";

export interface RangeFigures {
  rssKb: number;
  anonHugeKb: number;
  anonKb: number;
  swapKb: number;
  /** Resident pages of each node. */
  readonly nodePages: number[];
}

const PAGE_KB = PAGE_BYTES / 1024;

/** Sums the areas that overlap [start, end) pages; undefined when there is none. */
export function figuresOfRange(k: Kernel, mm: Mm, start: number, end: number): RangeFigures | undefined {
  const figures: RangeFigures = {
    rssKb: 0,
    anonHugeKb: 0,
    anonKb: 0,
    swapKb: 0,
    nodePages: new Array<number>(k.machine.nodes).fill(0),
  };
  let found = false;
  for (let at = vmaIndex(mm, start); at < mm.vmas.length && mm.vmas[at]!.start < end; at++) {
    found = true;
    addArea(k, mm.vmas[at]!, figures);
  }
  return found ? figures : undefined;
}

function addArea(k: Kernel, { mm, start, end, flags }: Vma, figures: RangeFigures): void {
  const n = k.geometry.pagesPerHuge;
  for (let row = nextUsedRow(k, mm, start, end); row !== NO_ROW; ) {
    const first = vpnOfRow(k.pt, row);
    const kind = k.pt.pmd.kind[row];
    if (kind === PMD.HUGE) {
      const pages = Math.min(end, first + n) - Math.max(start, first);
      const hidden = (flags & VM_ACCESS) === 0 || (k.pt.pmd.flags[row]! & PTE.HINT) !== 0;
      const seen = hidden && k.behaviours.smapsSkipsHiddenHuge ? 0 : pages;
      figures.rssKb += seen * PAGE_KB;
      figures.anonKb += seen * PAGE_KB;
      figures.anonHugeKb += seen * PAGE_KB;
      figures.nodePages[nodeOfFrame(k.buddy, asPfn(k.pt.pmd.value[row]!))]! += pages;
    } else if (kind === PMD.TABLE) {
      const base = k.pt.pmd.value[row]! * n - first;
      addTable(k, base + Math.max(start, first), base + Math.min(end, first + n), figures);
    }
    row = nextUsedRow(k, mm, first + n, end);
  }
}

function addTable(k: Kernel, from: number, to: number, figures: RangeFigures): void {
  for (let i = from; i < to; i++) {
    const flags = k.pt.pteFlags[i]!;
    if (flags === 0 || (flags & PTE.ZERO) !== 0) continue;
    if ((flags & PTE.SWAP) !== 0) {
      figures.swapKb += PAGE_KB;
      continue;
    }
    figures.rssKb += PAGE_KB;
    if ((flags & PTE.FILE) !== 0) continue;
    const head = headOf(k, asPfn(k.pt.ptePfn[i]!));
    if ((k.frames.flags[head]! & FRAME.ANON) !== 0) figures.anonKb += PAGE_KB;
    figures.nodePages[nodeOfFrame(k.buddy, head)]! += 1;
  }
}
