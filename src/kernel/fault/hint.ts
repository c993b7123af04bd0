/**
 * Hint faults on base pages: the scanner took an entry's access away to learn who uses the page.
 *
 *     lock ─▶ same entry? ─▶ whose was it last, where is it, where should it be?
 *               │ stay: restore ─▶ account   move: unlock ─▶ migrate ─▶ account
 *               │                                     └─ failed: lock ─▶ still the hint? restore, account
 *
 * The entry stays inaccessible while its page moves (kernels to 5.12 restored it first). After a migration
 * that failed half-way the entry is accessible again, which is not this fault's doing: then nothing is
 * accounted (kernels to 6.1.106 did).
 *
 * Models:       mm/memory.c do_numa_page(), v5.12 to v6.12.
 * Not modelled: memory policies, device pages.
 */

import { C } from "../../core/counters.ts";
import { EVENT } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import { asPfn, asVpn, NO_NODE, type NodeId, type Pfn, type PmdRow, type Vpn } from "../../core/units.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { pageTableLock } from "../locks.ts";
import { movingPage, waitForMove } from "../migration/entries.ts";
import { isolateForMove, migrateMisplaced, moveIsolated } from "../migration/misplaced.ts";
import { FRAME } from "../mm/frames.ts";
import { PTE, pteIndex } from "../mm/page-table.ts";
import { headOf, isHuge, pageMapCount } from "../mm/rmap.ts";
import { VM, type Vma } from "../mm/vma.ts";
import { accountFault, HINT } from "../numa/account.ts";
import { noteAccess } from "../numa/area.ts";
import { lastCpupid } from "../numa/cpupid.ts";
import { misplaced } from "../numa/filter.ts";
import { touchStack } from "../numa/stack.ts";
import { currentTask, type NumaTask } from "../numa/state.ts";
import { emit, enter, type Kernel } from "../state.ts";
import { hintedFrame } from "./hinted.ts";
import { localNode } from "./node.ts";
import type { FaultOutcome } from "./outcome.ts";

/** The state of one hint fault between its two looks at the entry. */
export interface Look {
  readonly task: NumaTask | undefined;
  readonly last: number;
  readonly node: NodeId;
  readonly target: NodeId;
  readonly flags: number;
  /** When the fault had the entry. */
  readonly sinceNs: number;
}

/** Counts the fault and asks where the page should be. `head` is what carries the page's mark. */
export function lookAtPage(k: Kernel, vma: Vma, head: Pfn, flags: number): Look {
  const task = currentTask(k);
  const node = nodeOfFrame(k.buddy, head);
  const last = lastCpupid(k, head);
  noteAccess(k, vma, task);
  k.vmstat[C.numa_hint_faults]! += 1;
  const local = node === localNode(k);
  if (local) k.vmstat[C.numa_hint_faults_local]! += 1;
  const target = misplaced(k, task, head);
  return { task, last, node, target, flags: flags | (local ? HINT.LOCAL : 0), sinceNs: k.nowNs };
}

/** Tells the statistics; the page is on `node` now. */
export function account(k: Kernel, look: Look, pages: number, node: NodeId, outcome: number): void {
  const order = pages > 1 ? k.geometry.hugeOrder : 0;
  const local = (look.flags & HINT.LOCAL) !== 0 ? 1 : 0;
  emit(k, EVENT.hintFault, look.task?.mm?.id ?? -1, order, local, k.nowNs - look.sinceNs);
  accountFault(k, look.task, { last: look.last, node, pages, flags: look.flags | outcome });
}

/** A write may follow without another fault: the entry says so, or the page is this process's alone. */
export function isWritable(k: Kernel, vma: Vma, flags: number, pfn: Pfn): boolean {
  if ((flags & PTE.WRITE) !== 0 || k.behaviours.numaRules.savedWrite) return (flags & PTE.WRITE) !== 0;
  return (vma.flags & VM.WRITE) !== 0 && (k.frames.flags[pfn]! & FRAME.EXCLUSIVE) !== 0;
}

/** One base page's hint entry, as its fault found it. */
interface Hint {
  readonly vma: Vma;
  readonly row: PmdRow;
  readonly vpn: Vpn;
  readonly pfn: Pfn;
  readonly head: Pfn;
  /** Pages that the fault stands for: all of a huge page that PTEs map (6.8+). */
  readonly pages: number;
}

/** Access to a base page whose entry is a hint. Enters without the lock. */
export function* faultHint(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn): Path<FaultOutcome> {
  enter(k, "do_numa_page");
  touchStack(k, currentTask(k));
  const { hintsOnParts } = k.behaviours.numaRules;
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const pfn = hintedFrame(k, row, vpn);
  const moving = pfn < 0 ? pfn : movingPage(k, row, pteIndex(k.pt, row, vpn));
  if (pfn < 0 || moving >= 0) {
    yield lock.release;
    if (moving >= 0) yield* waitForMove(k, moving);
    return "retry";
  }
  const head = headOf(k, pfn);
  const pages = isHuge(k, pfn) ? k.geometry.pagesPerHuge : 1;
  const hint: Hint = { vma, row, vpn, pfn, head, pages };
  if (pages > 1 && !hintsOnParts) {
    restore(k, hint);
    yield lock.release;
    return "hint-4k";
  }
  yield* handleHint(k, hint);
  return "hint-4k";
}

/** Enters with the page-table lock, which it drops. */
function* handleHint(k: Kernel, hint: Hint): Path {
  const { vma, row, vpn, pfn, head, pages } = hint;
  const { restorePte: when } = k.behaviours.numaRules;
  const lock = pageTableLock(k, row);
  const writable = isWritable(k, vma, k.pt.pteFlags[pteIndex(k.pt, row, vpn)]!, pfn);
  const shared = pageMapCount(k, pfn) > 1 && (vma.flags & VM.SHARED) !== 0;
  const look = lookAtPage(k, vma, head, (writable ? 0 : HINT.NO_GROUP) | (shared ? HINT.SHARED : 0));
  if (look.target === NO_NODE || when === "before-moving") restore(k, hint);
  if (look.target === NO_NODE) {
    yield lock.release;
    account(k, look, pages, look.node, 0);
    return;
  }
  const moved = yield* moveHint(k, hint, look.target);
  if (moved === true) account(k, look, pages, look.target, HINT.MIGRATED);
  else if (moved === "not-tried" || when === "before-moving") account(k, look, pages, look.node, HINT.FAILED);
  else {
    yield lock.acquire;
    const same = hintedFrame(k, row, vpn) === pfn && movingPage(k, row, pteIndex(k.pt, row, vpn)) < 0;
    if (same) restore(k, hint);
    yield lock.release;
    if (same || k.behaviours.numaRules.accountChanged) account(k, look, pages, look.node, HINT.FAILED);
  }
  if (when === "after-failing")
    emit(
      k,
      EVENT.moveWindow,
      pages > 1 ? k.geometry.hugeOrder : 0,
      +(moved === true),
      k.nowNs - look.sinceNs,
    );
}

/** Drops the page-table lock and moves the page; "not-tried" if the entry has been restored before that. */
function* moveHint(k: Kernel, hint: Hint, to: NodeId): Path<boolean | "not-tried"> {
  const lock = pageTableLock(k, hint.row);
  if (!k.behaviours.numaRules.isolateUnderLock) {
    k.frames.refCount[hint.head]! += 1;
    yield lock.release;
    return yield* migrateMisplaced(k, hint.head, to);
  }
  const isolated = yield* isolateForMove(k, hint.head, to);
  if (!isolated) restore(k, hint);
  yield lock.release;
  return isolated ? yield* moveIsolated(k, hint.head, to) : "not-tried";
}

/** The page's entry, or every hint entry of its huge page in this table and area, is accessible again. */
function restore(k: Kernel, { vma, row, vpn, pfn, pages }: Hint): void {
  restorePte(k, vma, row, vpn);
  if (pages === 1 || !k.behaviours.numaRules.hintsOnParts) return;
  const head = headOf(k, pfn);
  const rowVpn = vpn - (vpn % pages);
  for (let at = Math.max(rowVpn, vma.start); at < Math.min(rowVpn + pages, vma.end); at++) {
    const other = hintedFrame(k, row, asVpn(at));
    if (other >= 0 && headOf(k, other) === head) restorePte(k, vma, row, asVpn(at));
  }
}

/** The entry is as it was before the scanner came, and has just been used. */
function restorePte(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn): void {
  const pte = pteIndex(k.pt, row, vpn);
  const flags = k.pt.pteFlags[pte]!;
  const writable = isWritable(k, vma, flags, asPfn(k.pt.ptePfn[pte]!));
  k.pt.pteFlags[pte] = (flags & ~PTE.HINT) | PTE.YOUNG | (writable ? PTE.WRITE : 0);
}
