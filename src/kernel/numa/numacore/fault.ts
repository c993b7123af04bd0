/**
 * numa/core's hint faults: the faulting task pays for the move, and an entry that stays gets its area's
 * protection back.
 *
 *     PTE  ─▶ lock ▸ same? ▸ twice? ─ no ─▶ restore    yes ─▶ unlock, move (no flush: nobody can use it)
 *     huge ─▶ "native": as `early/fault-huge.ts`; "split": into base pages, whose faults decide each;
 *             "restore": nothing but the entry
 *
 * A private area's protection is read-only, so that a restored page that is to be written faults again.
 *
 * Models:       mm/memory.c do_numa_page(); mm/huge_memory.c do_huge_pmd_numa_page(), numa/core patches
 *               14/31, 18/31, 22/31 (October 2012) and 18/27 (November).
 * Not modelled: cache flushes. The huge copy of a caller that goes on with the old PMD is made as the review
 *               of 14/31 reads it: allocated and copied before the comparison fails.
 */

import { C } from "../../../core/counters.ts";
import { type Path, PREEMPT } from "../../../core/ops.ts";
import {
  asNode,
  NO_FRAME,
  NO_NODE,
  type NodeId,
  type Pfn,
  type PmdRow,
  type Vpn,
} from "../../../core/units.ts";
import { putPage } from "../../buddy/free.ts";
import { nodeOfFrame } from "../../buddy/state.ts";
import { hintedFrame, hintedHead } from "../../fault/hinted.ts";
import { allocHuge } from "../../fault/huge.ts";
import { hasMemoryPolicy, localNode, wantedNode } from "../../fault/node.ts";
import type { FaultOutcome } from "../../fault/outcome.ts";
import { pageTableLock } from "../../locks.ts";
import { nodeOfCpu } from "../../machine.ts";
import { PTE, pteIndex, vpnOfRow } from "../../mm/page-table.ts";
import { isHuge } from "../../mm/rmap.ts";
import type { Vma } from "../../mm/vma.ts";
import { enter, type Kernel, spend } from "../../state.ts";
import { faultGfp } from "../../thp/eligible.ts";
import { splitPage } from "../../thp/split.ts";
import { faultHugeEarly } from "../early/fault-huge.ts";
import { countHint, isMoving, lockHinted, misplacedTwice, unmarkPmd, unmarkPte } from "../early/hint.ts";
import { exchangeLast } from "../early/last-nid.ts";
import { moveBasePage } from "../early/move-page.ts";
import { currentTask } from "../state.ts";
import { classed, interleavedNode } from "./classes.ts";
import { accountNumacore } from "./place.ts";
import { numacoreOf } from "./scan.ts";

const MOVE = { limited: false, unsharedOnly: false };

/** Where a page should be, and whether its last user was this one: which October does not ask. */
interface Sight {
  readonly to: NodeId;
  readonly isPrivate: boolean;
}

function look(k: Kernel, head: Pfn, vpn: number): Sight {
  if (numacoreOf(k).filter === "last-nid") return { to: misplacedTwice(k, head), isPrivate: false };
  const last = exchangeLast(k, head, k.cpu);
  const isPrivate = last === k.cpu;
  const to = hasMemoryPolicy(k) ? NO_NODE : wantedBy(k, last, vpn);
  return { to: to === nodeOfFrame(k.buddy, head) ? NO_NODE : to, isPrivate };
}

/** Where this task wants a page that such a CPU used last: here, or where its group's memory is spread. */
function wantedBy(k: Kernel, lastCpu: number, vpn: number): NodeId {
  const here = localNode(k);
  const task = currentTask(k);
  if (numacoreOf(k).tasks === "classed" && task !== undefined) {
    const state = classed(k, task);
    if (state.class === "unknown") return NO_NODE;
    const whole = k.tunables.enabled === "never" ? 1 : k.geometry.pagesPerHuge;
    if (state.class === "shared") return asNode(interleavedNode(state, Math.floor(vpn / whole)));
  }
  return lastCpu >= 0 && nodeOfCpu(k.machine, lastCpu) === here ? here : NO_NODE;
}

/** Access to a base page whose entry is a hint. */
export function* faultSmallNumacore(k: Kernel, row: PmdRow, vpn: Vpn): Path<FaultOutcome> {
  enter(k, "do_numa_page");
  const lock = pageTableLock(k, row);
  const pfn = yield* lockHinted(k, row, vpn);
  if (pfn < 0) return "retry";
  k.frames.refCount[pfn]! += 1;
  const node = countHint(k, pfn);
  const sight = isHuge(k, pfn) ? { to: NO_NODE, isPrivate: false } : look(k, pfn, vpn);
  if (sight.to === NO_NODE) {
    unmarkPte(k, pteIndex(k.pt, row, vpn), PTE.WRITE);
    putPage(k, pfn);
    yield lock.release;
    accountNumacore(k, node, 1, sight.isPrivate);
    return "hint-4k";
  }
  yield lock.release;
  const moved = yield* moveBasePage(k, pfn, sight.to, MOVE);
  if (!moved) {
    yield lock.acquire;
    if (hintedFrame(k, row, vpn) === pfn && isMoving(k, row, vpn) < 0)
      unmarkPte(k, pteIndex(k.pt, row, vpn), PTE.WRITE);
    yield lock.release;
  }
  accountNumacore(k, moved ? sight.to : node, 1, sight.isPrivate);
  return "hint-4k";
}

/** Access to a huge page whose PMD is a hint. */
export function* faultHugeNumacore(k: Kernel, vma: Vma, row: PmdRow, write: boolean): Path<FaultOutcome> {
  const { huge, afterHuge } = numacoreOf(k);
  let outcome: FaultOutcome;
  if (huge === "native") outcome = yield* faultNative(k, row);
  else if (huge === "split") outcome = yield* faultSplit(k, row);
  else outcome = yield* faultRestore(k, row);
  if (afterHuge === "old-pmd" && write && outcome === "hint-huge") yield* writeWithOldPmd(k, vma, row);
  return outcome;
}

function faultNative(k: Kernel, row: PmdRow): Path<FaultOutcome> {
  let isPrivate = false;
  return faultHugeEarly(k, row, {
    form: "numacore",
    lost: PTE.WRITE,
    misplaced: (head) => {
      const sight = look(k, head, vpnOfRow(k.pt, row));
      isPrivate = sight.isPrivate;
      return sight.to;
    },
    account: (node, pages) => accountNumacore(k, node, pages, isPrivate),
  });
}

/** Patch 14: the infrastructure alone. */
function* faultRestore(k: Kernel, row: PmdRow): Path<FaultOutcome> {
  const lock = pageTableLock(k, row);
  if ((yield* lockHinted(k, row, -1)) < 0) return "retry";
  unmarkPmd(k, row, PTE.WRITE);
  yield lock.release;
  return "hint-huge";
}

/** Patch 18: a misplaced huge page is split, and its base pages fault for themselves. */
function* faultSplit(k: Kernel, row: PmdRow): Path<FaultOutcome> {
  const lock = pageTableLock(k, row);
  const head = yield* lockHinted(k, row, -1);
  if (head < 0) return "retry";
  const node = countHint(k, head);
  if (look(k, head, vpnOfRow(k.pt, row)).to === NO_NODE) {
    unmarkPmd(k, row, PTE.WRITE);
    yield lock.release;
    accountNumacore(k, node, k.geometry.pagesPerHuge, false);
    return "hint-huge";
  }
  k.frames.refCount[head]! += 1;
  yield lock.release;
  yield* splitLocked(k, row, head);
  putPage(k, head);
  return "hint-huge";
}

/** Splits the huge page that a row maps; if it cannot be, the entry is restored. */
function* splitLocked(k: Kernel, row: PmdRow, head: Pfn): Path {
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  if (hintedHead(k, row) === head) {
    const ops: Parameters<typeof splitPage>[3] = [];
    if (!splitPage(k, head, head, ops)) unmarkPmd(k, row, PTE.WRITE);
    for (const op of ops) yield op;
  }
  yield lock.release;
}

/** The caller still believes in the PMD from before: it copies the huge page, and then finds it changed. */
function* writeWithOldPmd(k: Kernel, vma: Vma, row: PmdRow): Path {
  yield PREEMPT;
  const copy = yield* allocHuge(k, wantedNode(k), faultGfp(k, vma));
  if (copy === NO_FRAME) return;
  k.vmstat[C.thp_fault_alloc]! += 1;
  spend(k, k.costs.copyHugeNs);
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  putPage(k, copy);
  yield lock.release;
}
