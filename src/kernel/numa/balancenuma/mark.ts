/**
 * Marking a range as 3.8 does: pages of one address space alone, huge pages by their PMD, and the PMD of a
 * table whose pages all lie on one node.
 *
 *     huge PMD ─▶ clear ▸ mapped once? ▸ set with the mark      table ─▶ mark PTEs ▸ one node? ▸ mark the PMD
 *
 * The huge PMD is empty for a moment: who looks at it without the lock takes the region for unmapped.
 *
 * Models:       mm/mprotect.c change_pmd_range(), change_pte_range(); mm/huge_memory.c change_huge_pmd();
 *               mm/mempolicy.c change_prot_numa(), v3.8.
 * Not modelled: non-present entries that count; areas' own protection changes.
 */
import { C } from "../../../core/counters.ts";
import { type Path, PREEMPT } from "../../../core/ops.ts";
import { asPfn, asVpn, NO_ROW, type PmdRow } from "../../../core/units.ts";
import { nodeOfFrame } from "../../buddy/state.ts";
import { pageTableLock } from "../../locks.ts";
import { PMD, PTE, vpnOfRow } from "../../mm/page-table.ts";
import { mappingCount } from "../../mm/rmap.ts";
import { nextUsedRow } from "../../mm/tables.ts";
import type { Vma } from "../../mm/vma.ts";
import { type Kernel, spend } from "../../state.ts";
import { flushRange } from "../../tlb/shootdown.ts";
import { markTable, markTableEntries } from "../early/mark.ts";

/** Marks [start, end) of an area; the pages that this counts for, which is more than those that change. */
export function* markRange38(k: Kernel, vma: Vma, start: number, end: number): Path<number> {
  const { pt, geometry } = k;
  const n = geometry.pagesPerHuge;
  let pages = 0;
  for (let row = nextUsedRow(k, vma.mm, start, end); row !== NO_ROW; ) {
    const first = vpnOfRow(pt, row);
    const from = Math.max(first, start);
    const to = Math.min(first + n, end);
    const lock = pageTableLock(k, row);
    yield lock.acquire;
    if (pt.pmd.kind[row] === PMD.HUGE && to - from === n) pages += yield* markHuge(k, row);
    else if (pt.pmd.kind[row] === PMD.TABLE) pages += markSmall(k, row, from, to);
    yield lock.release;
    row = nextUsedRow(k, vma.mm, first + n, end);
  }
  k.vmstat[C.numa_pte_updates]! += pages;
  if (pages > 0) yield flushRange(k, vma.mm, asVpn(start), end - start, "scan");
  return pages;
}

/** A huge page counts with all its pages, whether it was marked or not. */
function* markHuge(k: Kernel, row: PmdRow): Path<number> {
  const { kind, flags, value } = k.pt.pmd;
  spend(k, k.costs.scanPteNs + k.costs.changePteNs);
  kind[row] = PMD.NONE;
  yield PREEMPT;
  kind[row] = PMD.HUGE;
  const { numaDesign } = k.behaviours;
  // As written, the look at the map count finds what an empty PMD points at: frame 0, mapped by nobody.
  const asWritten = numaDesign.policy === "balancenuma" && numaDesign.hugeMark === "as-written";
  const head = asPfn(value[row]!);
  if (!asWritten && mappingCount(k, head) === 1) flags[row]! |= PTE.HINT;
  return k.geometry.pagesPerHuge;
}

function markSmall(k: Kernel, row: PmdRow, from: number, to: number): number {
  let node = -1;
  let oneNode = true;
  const seen = (pfn: number) => {
    const its = nodeOfFrame(k.buddy, asPfn(pfn));
    if (node === -1) node = its;
    if (its !== node) oneNode = false;
  };
  const found = markTableEntries(k, row, from, to, { unsharedOnly: true, marks: true, seen });
  if (oneNode) markTable(k, row);
  return found;
}
