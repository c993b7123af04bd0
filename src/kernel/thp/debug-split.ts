/**
 * The splitter of debugfs (`split_huge_pages`, "PID,START,END"): every huge page of which the range maps a
 * part is split, unless somebody else holds it.
 *
 * Models:       mm/huge_memory.c split_huge_pages_pid(), v6.1.
 * Not modelled: splitting to another order than 0 (6.9+), files.
 */
import type { Op, Path } from "../../core/ops.ts";
import { asVpn } from "../../core/units.ts";
import { putPage } from "../buddy/free.ts";
import { pageTableLock } from "../locks.ts";
import type { Mm } from "../mm/mm.ts";
import { findRow } from "../mm/page-table.ts";
import { frameAt, hasTranslation } from "../mm/pin.ts";
import { headOf, isHuge } from "../mm/rmap.ts";
import { findVma } from "../mm/vma.ts";
import { type Kernel, spend } from "../state.ts";
import { canSplit, splitPage } from "./split.ts";

/** Splits what [start, end) maps; the walk ends at the first hole between areas. Returns huge pages split. */
export function* splitHugePages(k: Kernel, mm: Mm, start: number, end: number): Path<number> {
  spend(k, k.costs.syscallNs);
  let split = 0;
  yield mm.mmapLock.acquireRead;
  for (let vpn = start; vpn < end && findVma(mm, asVpn(vpn)) !== undefined; vpn++) {
    const pfn = frameAt(k, mm, vpn);
    if (pfn < 0 || !isHuge(k, pfn)) continue;
    if (k.behaviours.smapsSkipsHiddenHuge && !hasTranslation(k, mm, asVpn(vpn))) continue;
    const lock = pageTableLock(k, findRow(k.pt, mm.directory, asVpn(vpn)));
    yield lock.acquire;
    const ops: Op[] = [];
    const head = headOf(k, pfn);
    k.frames.refCount[head]! += 1;
    // A page that is held is passed over in silence: nothing is counted.
    const done = canSplit(k, head) && splitPage(k, head, pfn, ops);
    putPage(k, done ? pfn : head);
    split += done ? 1 : 0;
    yield lock.release;
    for (const op of ops) yield op;
  }
  yield mm.mmapLock.releaseRead;
  return split;
}
