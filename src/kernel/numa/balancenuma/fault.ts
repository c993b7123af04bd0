/**
 * Hint faults of 3.8: on a PTE, on a huge page, and on a table whose PMD is marked, which does all its pages
 * at once.
 *
 *     PTE ─▶ restore at once ▸ twice from here? ─▶ move (the others can already use it: its unmap must flush)
 *     table ─▶ unmark ─▶ for each marked page: restore ▸ twice from here? ▸ unlock, move, account, lock again
 *
 * Models:       mm/memory.c do_numa_page(), do_pmd_numa_page(); kernel/sched/fair.c task_numa_fault(), v3.8.
 * Not modelled: task_numa_placement(), which is empty in 3.8: tasks are not placed. Pages of other areas
 *               under the same table keep their own marks.
 */
import type { Path } from "../../../core/ops.ts";
import { asPfn, asVpn, NO_NODE, type NodeId, type PmdRow, type Vpn } from "../../../core/units.ts";
import { putPage } from "../../buddy/free.ts";
import type { FaultOutcome } from "../../fault/outcome.ts";
import { pageTableLock } from "../../locks.ts";
import { PMD, PTE, pteIndex, vpnOfRow } from "../../mm/page-table.ts";
import { isHuge, pageMapCount } from "../../mm/rmap.ts";
import type { Vma } from "../../mm/vma.ts";
import { enter, type Kernel } from "../../state.ts";
import { faultHugeEarly } from "../early/fault-huge.ts";
import { countHint, isMoving, lockHinted, misplacedTwice, unmarkPte } from "../early/hint.ts";
import { lockMarkedTable } from "../early/mark.ts";
import { moveBasePage } from "../early/move-page.ts";
import { currentTask, JIFFY_NS } from "../state.ts";
import { KNOB } from "./scan.ts";

const MOVE = { limited: true, unsharedOnly: true };
/** Ten ticks more for every fault that moved nothing. */
const SLOWER_MS = (10 * JIFFY_NS) / 1_000_000;

/** A fault that moved nothing makes the task scan more slowly. */
export function account38(k: Kernel, moved: boolean): void {
  const task = currentTask(k);
  if (task === undefined || moved) return;
  task.scanPeriodMs = Math.min(k.knobs.readNumber(KNOB.MAX), task.scanPeriodMs + SLOWER_MS);
}

/** Access to a base page whose entry is a hint. */
export function* faultSmall38(k: Kernel, row: PmdRow, vpn: Vpn): Path<FaultOutcome> {
  enter(k, "do_numa_page");
  const lock = pageTableLock(k, row);
  const pfn = yield* lockHinted(k, row, vpn);
  if (pfn < 0) return "retry";
  unmarkPte(k, pteIndex(k.pt, row, vpn));
  if (isHuge(k, pfn)) {
    yield lock.release;
    return "hint-4k";
  }
  k.frames.refCount[pfn]! += 1;
  countHint(k, pfn);
  const to = misplacedTwice(k, pfn);
  yield lock.release;
  if (to === NO_NODE) {
    putPage(k, pfn);
    account38(k, false);
    return "hint-4k";
  }
  account38(k, yield* moveBasePage(k, pfn, to, MOVE));
  return "hint-4k";
}

/** Access below a PMD that points at a table and is marked: every marked page of the table is looked at. */
export function* faultTable38(k: Kernel, vma: Vma, row: PmdRow): Path<FaultOutcome> {
  enter(k, "do_pmd_numa_page");
  const lock = pageTableLock(k, row);
  if (!(yield* lockMarkedTable(k, row))) return "retry";
  const first = vpnOfRow(k.pt, row);
  const end = Math.min(vma.end, first + k.geometry.pagesPerHuge);
  for (let vpn = Math.max(vma.start, first); vpn < end && k.pt.pmd.kind[row] === PMD.TABLE; vpn++) {
    const pte = pteIndex(k.pt, row, asVpn(vpn));
    const flags = k.pt.pteFlags[pte]!;
    if ((flags & (PTE.PRESENT | PTE.HINT | PTE.ZERO | PTE.FILE)) !== (PTE.PRESENT | PTE.HINT)) continue;
    if (isMoving(k, row, vpn) >= 0) continue;
    unmarkPte(k, pte);
    const pfn = asPfn(k.pt.ptePfn[pte]!);
    if (isHuge(k, pfn) || pageMapCount(k, pfn) !== 1) continue;
    k.frames.refCount[pfn]! += 1;
    countHint(k, pfn);
    const to = misplacedTwice(k, pfn);
    if (to === NO_NODE) {
      putPage(k, pfn);
      continue;
    }
    yield lock.release;
    account38(k, yield* moveBasePage(k, pfn, to, MOVE));
    yield lock.acquire;
  }
  yield lock.release;
  return "hint-4k";
}

/** Access to a huge page whose PMD is a hint. */
export function faultHuge38(k: Kernel, row: PmdRow): Path<FaultOutcome> {
  const { numaDesign } = k.behaviours;
  return faultHugeEarly(k, row, {
    form: numaDesign.policy === "balancenuma" ? numaDesign.hugeCount : "F3",
    lost: 0,
    misplaced: (head) => misplacedTwice(k, head),
    account: (_node: NodeId, _pages, moved) => account38(k, moved),
  });
}
