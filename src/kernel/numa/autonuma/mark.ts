/**
 * Marking one region for AutoNUMA, and counting where its pages are.
 *
 *     huge page ─▶ mapped once? ▸ count 512 on its node ▸ mark the PMD
 *     table ─▶ each page mapped once: count 1 ▸ in pmd mode mark the table's PMD, else each PTE
 *
 * What is counted are pages that are there, marked before or not: the address space's statistics say where
 * its memory lies, not who faults. In working_set mode marked entries, which nobody used since, count
 * nothing.
 *
 * Models:       knumad_scan_pmd(), AutoNUMA 14 to 28.
 * Not modelled: waiting for a huge page that is being split. numa_pte_updates counts marks, for comparison:
 *               it did not exist.
 */
import { C } from "../../../core/counters.ts";
import type { Path } from "../../../core/ops.ts";
import { asPfn, type PmdRow } from "../../../core/units.ts";
import { nodeOfFrame } from "../../buddy/state.ts";
import { pageTableLock } from "../../locks.ts";
import { PMD, PTE } from "../../mm/page-table.ts";
import { mappingCount } from "../../mm/rmap.ts";
import { type Kernel, spend } from "../../state.ts";
import { isTableMarked, markTable, markTableEntries } from "../early/mark.ts";
import { autonuma, autonumaForm, KNOB, knobNumber, knobOr } from "./of.ts";
import { queuedTo } from "./queue.ts";
import type { ScannedMm } from "./state.ts";

/** Marks [from, to) of a row's region; the progress that it counts for. */
export function* markRegion(
  k: Kernel,
  entry: ScannedMm,
  row: PmdRow,
  from: number,
  to: number,
): Path<number> {
  const { pmd } = k.pt;
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  let progress = 0;
  if (pmd.kind[row] === PMD.HUGE && to - from === k.geometry.pagesPerHuge) {
    progress = k.geometry.pagesPerHuge;
    markHuge(k, entry, row);
  } else if (pmd.kind[row] === PMD.TABLE) {
    progress = markSmall(k, entry, row, from, to);
  }
  yield lock.release;
  return progress;
}

/** Where a page is, or where it is about to be. */
function count(k: Kernel, entry: ScannedMm, pfn: number, pages: number): void {
  if (autonumaForm(k).statistics !== "resident") return;
  const waiting = queuedTo(autonuma(k), pfn);
  entry.counting[waiting >= 0 ? waiting : nodeOfFrame(k.buddy, asPfn(pfn))]! += pages;
}

function markHuge(k: Kernel, entry: ScannedMm, row: PmdRow): void {
  const { flags, value } = k.pt.pmd;
  const pages = k.geometry.pagesPerHuge;
  const marked = (flags[row]! & PTE.HINT) !== 0;
  const head = asPfn(value[row]!);
  spend(k, k.costs.scanPteNs);
  if ((marked && isWorkingSet(k)) || mappingCount(k, head) !== 1) return;
  count(k, entry, head, pages);
  if (marked) return;
  flags[row]! |= PTE.HINT;
  autonuma(k).figures.markedPages += pages;
  k.vmstat[C.numa_pte_updates]! += 1;
  spend(k, k.costs.changePteNs);
}

function isWorkingSet(k: Kernel): boolean {
  return knobOr(k, KNOB.WORKING_SET, 0) !== 0;
}

function markSmall(k: Kernel, entry: ScannedMm, row: PmdRow, from: number, to: number): number {
  const byTable = knobNumber(k, KNOB.PMD) !== 0;
  const unused = isTableMarked(k, row);
  const counted = !(unused && isWorkingSet(k));
  const found = markTableEntries(k, row, from, to, {
    unsharedOnly: true,
    marks: !byTable,
    visit: (pfn) => {
      if (counted) count(k, entry, pfn, 1);
    },
  });
  if (!unused) autonuma(k).figures.markedPages += found;
  if (byTable && found > 0 && !unused) markTable(k, row);
  if (!unused) k.vmstat[C.numa_pte_updates]! += byTable ? Math.min(found, 1) : found;
  return found;
}
