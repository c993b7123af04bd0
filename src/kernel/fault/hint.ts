/**
 * Hint faults: the scanner took an entry's access away to learn who uses the page.
 *
 *     lock ─▶ same entry? ─▶ whose was it last, where is it, where should it be?
 *               │ stay: restore ─▶ account   move: unlock ─▶ migrate ─▶ account
 *               │                                     └─ failed: lock ─▶ still the hint? restore, account
 *
 * The entry stays inaccessible while its page moves. After a migration that failed half-way the entry is
 * accessible again, which is not this fault's doing: then nothing is accounted.
 *
 * Models:       mm/memory.c do_numa_page(); mm/huge_memory.c do_huge_pmd_numa_page(), v6.1 (from 6.1.107 on).
 * Not modelled: memory policies, device pages.
 */
import { C } from "../../core/counters.ts";
import type { Path } from "../../core/ops.ts";
import { asPfn, NO_NODE, type NodeId, type Pfn, type PmdRow, type Vpn } from "../../core/units.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { pageTableLock } from "../locks.ts";
import { migrateMisplaced } from "../migration/misplaced.ts";
import { PMD, PTE, pteIndex } from "../mm/page-table.ts";
import { isHuge, pageMapCount } from "../mm/rmap.ts";
import { VM, type Vma } from "../mm/vma.ts";
import { accountFault, HINT } from "../numa/account.ts";
import { lastCpupid } from "../numa/cpupid.ts";
import { misplaced } from "../numa/filter.ts";
import { currentTask, type NumaTask } from "../numa/state.ts";
import { enter, type Kernel } from "../state.ts";
import { localNode } from "./node.ts";
import type { FaultOutcome } from "./outcome.ts";

/** An entry's flags without those that a processor or a zap-less look may set meanwhile. */
const SAME = PTE.PRESENT | PTE.HINT;

/** The state of one hint fault between its two looks at the entry. */
interface Look {
  readonly task: NumaTask | undefined;
  readonly last: number;
  readonly node: NodeId;
  readonly target: NodeId;
  readonly flags: number;
}

/** Counts the fault and asks where the page should be. `head` is what carries the page's mark. */
function lookAtPage(k: Kernel, head: Pfn, flags: number): Look {
  const task = currentTask(k);
  const node = nodeOfFrame(k.buddy, head);
  const last = lastCpupid(k, head);
  k.vmstat[C.numa_hint_faults]! += 1;
  const local = node === localNode(k);
  if (local) k.vmstat[C.numa_hint_faults_local]! += 1;
  const target = misplaced(k, task, head);
  return { task, last, node, target, flags: flags | (local ? HINT.LOCAL : 0) };
}

function account(k: Kernel, look: Look, pages: number, node: NodeId, outcome: number): void {
  accountFault(k, look.task, { last: look.last, node, pages, flags: look.flags | outcome });
}

/** Access to a base page whose entry is a hint. Enters without the lock. */
export function* faultHint(k: Kernel, vma: Vma, row: PmdRow, vpn: Vpn): Path<FaultOutcome> {
  enter(k, "do_numa_page");
  const { pt } = k;
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const pfn = hintedFrame(k, row, vpn);
  if (pfn < 0) {
    yield lock.release;
    return "retry";
  }
  const flags = pt.pteFlags[pteIndex(pt, row, vpn)]!;
  if (isHuge(k, pfn)) {
    restorePte(k, row, vpn);
    yield lock.release;
    return "hint-4k";
  }
  const shared = pageMapCount(k, pfn) > 1 && (vma.flags & VM.SHARED) !== 0;
  const noGroup = (flags & PTE.WRITE) === 0 ? HINT.NO_GROUP : 0;
  const look = lookAtPage(k, pfn, noGroup | (shared ? HINT.SHARED : 0));
  if (look.target !== NO_NODE) k.frames.refCount[pfn]! += 1;
  else restorePte(k, row, vpn);
  yield lock.release;
  if (look.target === NO_NODE) account(k, look, 1, look.node, 0);
  else if (yield* migrateMisplaced(k, pfn, look.target)) account(k, look, 1, look.target, HINT.MIGRATED);
  else {
    yield lock.acquire;
    const same = hintedFrame(k, row, vpn) === pfn;
    if (same) restorePte(k, row, vpn);
    yield lock.release;
    if (same) account(k, look, 1, look.node, HINT.FAILED);
  }
  return "hint-4k";
}

/** The frame of a page whose PTE is a hint, or −1. */
function hintedFrame(k: Kernel, row: PmdRow, vpn: Vpn): Pfn {
  if (k.pt.pmd.kind[row] !== PMD.TABLE) return asPfn(-1);
  const pte = pteIndex(k.pt, row, vpn);
  return asPfn((k.pt.pteFlags[pte]! & SAME) === SAME ? k.pt.ptePfn[pte]! : -1);
}

/** The entry is as it was before the scanner came, and has just been used. */
function restorePte(k: Kernel, row: PmdRow, vpn: Vpn): void {
  const pte = pteIndex(k.pt, row, vpn);
  k.pt.pteFlags[pte] = (k.pt.pteFlags[pte]! & ~PTE.HINT) | PTE.YOUNG;
}

/** Access to a huge page whose PMD is a hint. Enters without the lock. */
export function* faultHintHuge(k: Kernel, row: PmdRow): Path<FaultOutcome> {
  enter(k, "do_huge_pmd_numa_page");
  const pages = k.geometry.pagesPerHuge;
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const head = hintedHead(k, row);
  if (head < 0) {
    yield lock.release;
    return "retry";
  }
  const noGroup = (k.pt.pmd.flags[row]! & PTE.WRITE) === 0 ? HINT.NO_GROUP : 0;
  const look = lookAtPage(k, head, noGroup);
  if (look.target !== NO_NODE) k.frames.refCount[head]! += 1;
  else restorePmd(k, row);
  yield lock.release;
  if (look.target === NO_NODE) account(k, look, pages, look.node, 0);
  else if (yield* migrateMisplaced(k, head, look.target)) account(k, look, pages, look.target, HINT.MIGRATED);
  else {
    yield lock.acquire;
    const same = hintedHead(k, row) === head;
    if (same) restorePmd(k, row);
    yield lock.release;
    if (same) account(k, look, pages, look.node, HINT.FAILED);
  }
  return "hint-huge";
}

/** The huge page whose PMD is a hint, or −1. */
function hintedHead(k: Kernel, row: PmdRow): Pfn {
  const hinted = k.pt.pmd.kind[row] === PMD.HUGE && (k.pt.pmd.flags[row]! & PTE.HINT) !== 0;
  return asPfn(hinted ? k.pt.pmd.value[row]! : -1);
}

function restorePmd(k: Kernel, row: PmdRow): void {
  k.pt.pmd.flags[row] = (k.pt.pmd.flags[row]! & ~PTE.HINT) | PTE.YOUNG;
}
