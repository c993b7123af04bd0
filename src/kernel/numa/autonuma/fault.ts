/**
 * AutoNUMA's hint faults: the entry is accessible again before anything else happens, so that nobody waits
 * for a migration.
 *
 *     PTE, huge PMD ─▶ unmark ▸ mapped once? ▸ follow
 *     table's PMD ─▶ unmark it and all its pages; each counts, though one was used
 *
 * Models:       pte_numa_fixup(), huge_pmd_numa_fixup(), pmd_numa_fixup(), AutoNUMA 14 to 28.
 * Not modelled: waiting for a huge page that is being split; pages of other areas under the same table keep
 *               their marks.
 */

import type { Path } from "../../../core/ops.ts";
import { asPfn, asVpn, type Pfn, type PmdRow, type Vpn } from "../../../core/units.ts";
import { hintedFrame } from "../../fault/hinted.ts";
import type { FaultOutcome } from "../../fault/outcome.ts";
import { pageTableLock } from "../../locks.ts";
import { PTE, pteIndex, vpnOfRow } from "../../mm/page-table.ts";
import { isHuge, mappingCount, pageMapCount } from "../../mm/rmap.ts";
import type { Vma } from "../../mm/vma.ts";
import type { Kernel } from "../../state.ts";
import { countHint, isMoving, lockHinted, unmarkPmd, unmarkPte } from "../early/hint.ts";
import { lockMarkedTable } from "../early/mark.ts";
import { hintFault } from "./follow.ts";
import { autonumaForm } from "./of.ts";

/**
 * Follows a page under the page-table lock; where faults migrate, the lock is dropped around it and a
 * reference keeps the page.
 */
function* followUnder(k: Kernel, row: PmdRow, pfn: Pfn, pages: number): Path {
  const lock = pageTableLock(k, row);
  countHint(k, pfn);
  if (autonumaForm(k).migrate === "queues") {
    yield* hintFault(k, pfn, pages);
    return;
  }
  k.frames.refCount[pfn]! += 1;
  yield lock.release;
  yield* hintFault(k, pfn, pages);
  yield lock.acquire;
}

/** Access to a base page whose entry is a hint. */
export function* faultSmallAutonuma(k: Kernel, row: PmdRow, vpn: Vpn): Path<FaultOutcome> {
  const lock = pageTableLock(k, row);
  const pfn = yield* lockHinted(k, row, vpn);
  if (pfn < 0) return "retry";
  unmarkPte(k, pteIndex(k.pt, row, vpn));
  if (!isHuge(k, pfn) && pageMapCount(k, pfn) === 1) yield* followUnder(k, row, pfn, 1);
  yield lock.release;
  return "hint-4k";
}

/** Access to a huge page whose PMD is a hint. */
export function* faultHugeAutonuma(k: Kernel, row: PmdRow): Path<FaultOutcome> {
  const lock = pageTableLock(k, row);
  const head = yield* lockHinted(k, row, -1);
  if (head < 0) return "retry";
  unmarkPmd(k, row);
  if (mappingCount(k, head) === 1) yield* followUnder(k, row, head, k.geometry.pagesPerHuge);
  yield lock.release;
  return "hint-huge";
}

/** Access below a PMD that points at a table and is marked: all of the table's pages count for this task. */
export function* faultTableAutonuma(k: Kernel, vma: Vma, row: PmdRow): Path<FaultOutcome> {
  const lock = pageTableLock(k, row);
  if (!(yield* lockMarkedTable(k, row))) return "retry";
  const first = vpnOfRow(k.pt, row);
  const end = Math.min(vma.end, first + k.geometry.pagesPerHuge);
  for (let vpn = Math.max(vma.start, first); vpn < end; vpn++) {
    const pfn = hintedFrame(k, row, asVpn(vpn));
    if (pfn < 0 || isMoving(k, row, vpn) >= 0) continue;
    const pte = pteIndex(k.pt, row, asVpn(vpn));
    if ((k.pt.pteFlags[pte]! & (PTE.ZERO | PTE.FILE)) !== 0) continue;
    unmarkPte(k, pte);
    if (!isHuge(k, asPfn(pfn)) && pageMapCount(k, pfn) === 1) yield* followUnder(k, row, pfn, 1);
  }
  yield lock.release;
  return "hint-4k";
}
