/**
 * The old way of a huge page to another node: copied while its PMD is a hint, then the PMD goes straight to
 * the copy. There is no moment without an entry, and no flush.
 *
 *     allocate ─▶ isolate, three references? ─▶ copy ─▶ PMD lock: same PMD, two references? ─▶ PMD := copy
 *        └──────────────┴─ no: entry restored              └─ no: undone, the entry stays a hint
 *
 * Models:       mm/migrate.c migrate_misplaced_transhuge_page(), numamigrate_isolate_page(), v5.12.
 * Not modelled: executable shared memory (its page stayed locked for ever), the new page's lock.
 */
import { C } from "../../core/counters.ts";
import { EVENT } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import { NO_FRAME, type NodeId, type Pfn, type PmdRow } from "../../core/units.ts";
import { putPage } from "../buddy/free.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { pageTableLock } from "../locks.ts";
import { unlockPage } from "../mm/page-lock.ts";
import { PMD, PTE, vpnOfRow } from "../mm/page-table.ts";
import { mappingsOf } from "../mm/rmap.ts";
import { VM, type Vma } from "../mm/vma.ts";
import { lruIsolate, lruPutback } from "../reclaim/lru.ts";
import { emit, enter, type Kernel, spend } from "../state.ts";
import { noteCopied } from "../witness.ts";
import { allocThere, failed, finishMove } from "./migrate.ts";
import { hasRoom } from "./misplaced.ts";
import { switchFrame } from "./switch-frame.ts";

/** What refers to a huge page that may be copied: its mapping, the fault, and the isolation. */
const REFERENCES = 3;

/**
 * Moves a huge page that the caller has locked and refers to; both are used up. True if it is on that node
 * now.
 */
export function* copyHuge(k: Kernel, vma: Vma, row: PmdRow, head: Pfn, to: NodeId): Path<boolean> {
  enter(k, "migrate_misplaced_transhuge_page");
  const target = yield* allocThere(k, true, to);
  if (target === NO_FRAME) failed(k, head, to, "no-memory");
  if (target === NO_FRAME || !(yield* isolateAlone(k, head, to))) {
    if (target !== NO_FRAME) putPage(k, target);
    yield* giveUp(k, row, head);
    return false;
  }
  putPage(k, head);
  spend(k, k.costs.migratePageNs + k.costs.copyHugeNs);
  noteCopied(k, head, target, k.geometry.pagesPerHuge);
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const alone = isHintOf(k, row, head) && k.frames.refCount[head] === REFERENCES - 1;
  const from = nodeOfFrame(k.buddy, head);
  if (alone) {
    switchFrame(k, head, target, mappingsOf(k, head));
    k.pt.pmd.flags[row]! |= PTE.DIRTY | ((vma.flags & VM.WRITE) !== 0 ? PTE.WRITE : 0);
  }
  yield lock.release;
  yield* unlockPage(k, head);
  if (alone) countMove(k, row, head, target, from, to);
  else {
    failed(k, head, to, "busy");
    putPage(k, target);
    lruPutback(k, head);
  }
  return alone;
}

function countMove(k: Kernel, row: PmdRow, head: Pfn, target: Pfn, from: NodeId, to: NodeId): void {
  const pages = k.geometry.pagesPerHuge;
  k.vmstat[C.pgmigrate_success]! += pages;
  k.vmstat[C.numa_pages_migrated]! += pages;
  finishMove(k, head, target);
  emit(k, EVENT.migrate, vpnOfRow(k.pt, row), from, to, k.geometry.hugeOrder);
}

/** Isolates the page if the node has room and nobody else refers to it. */
function* isolateAlone(k: Kernel, head: Pfn, to: NodeId): Path<boolean> {
  if (!hasRoom(k, to, k.geometry.pagesPerHuge)) {
    failed(k, head, to, "no-room");
    return false;
  }
  const { lock } = k.lru.nodes[nodeOfFrame(k.buddy, head)]!;
  yield lock.acquire;
  const isolated = lruIsolate(k, head);
  yield lock.release;
  if (isolated && k.frames.refCount[head] === REFERENCES) return true;
  failed(k, head, to, isolated ? "busy" : "not-isolated");
  if (isolated) lruPutback(k, head);
  return false;
}

/** Nothing was copied: the entry becomes accessible, but for writes, if nobody has changed it. */
function* giveUp(k: Kernel, row: PmdRow, head: Pfn): Path {
  k.vmstat[C.pgmigrate_fail]! += k.geometry.pagesPerHuge;
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  if (isHintOf(k, row, head)) k.pt.pmd.flags[row]! &= ~(PTE.HINT | PTE.WRITE);
  yield lock.release;
  yield* unlockPage(k, head);
  putPage(k, head);
}

function isHintOf({ pt }: Kernel, row: PmdRow, head: Pfn): boolean {
  return pt.pmd.kind[row] === PMD.HUGE && pt.pmd.value[row] === head && (pt.pmd.flags[row]! & PTE.HINT) !== 0;
}
