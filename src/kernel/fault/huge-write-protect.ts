/**
 * Write fault on a read-only huge mapping: reuse the huge page, or split the PMD and go on with one base
 * page, or (before 5.8) copy it whole: huge-copy.ts.
 *
 * Models:       mm/huge_memory.c do_huge_pmd_wp_page(), v6.1; do_huge_zero_wp_pmd(), v6.13 ("allocate-huge").
 * Not modelled: FAULT_FLAG_UNSHARE.
 */
import { C } from "../../core/counters.ts";
import { EVENT } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import { asPfn, NO_FRAME, type Pfn, type PmdRow } from "../../core/units.ts";
import { putPage } from "../buddy/free.ts";
import { pageTableLock } from "../locks.ts";
import { FRAME } from "../mm/frames.ts";
import { PMD, PTE, vpnOfRow } from "../mm/page-table.ts";
import { mappingCount, moveAnonRmap } from "../mm/rmap.ts";
import type { Vma } from "../mm/vma.ts";
import { emit, enter, type Kernel } from "../state.ts";
import { splitPmd } from "../thp/split.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { allocZeroedHuge, mapNewHuge } from "./huge.ts";
import { copySharedHuge } from "./huge-copy.ts";
import type { FaultOutcome } from "./outcome.ts";

/** "fallback": the PMD is a table now (or changed), and the base-page paths decide. */
export function* faultHugeWriteProtected(k: Kernel, vma: Vma, row: PmdRow): Path<FaultOutcome> {
  enter(k, "do_huge_pmd_wp_page");
  if (k.pt.pmd.kind[row] === PMD.HUGE_ZERO && k.behaviours.writeToHugeZero === "allocate-huge") {
    const outcome = yield* replaceHugeZero(k, vma, row);
    if (outcome !== "fallback") return outcome;
  }
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const kind = k.pt.pmd.kind[row];
  let outcome: FaultOutcome = "fallback";
  let shared: Pfn = NO_FRAME;
  if (kind === PMD.HUGE && (k.pt.pmd.flags[row]! & PTE.WRITE) !== 0) {
    outcome = "spurious";
  } else if (kind === PMD.HUGE && reuseHuge(k, vma, row)) {
    outcome = "cow-reuse";
  } else if (kind === PMD.HUGE && k.behaviours.writeToSharedHuge === "copy-huge") {
    shared = asPfn(k.pt.pmd.value[row]!);
    k.frames.refCount[shared]! += 1;
  } else if (kind === PMD.HUGE || kind === PMD.HUGE_ZERO) {
    yield splitPmd(k, vma.mm, row, "cow");
  }
  yield lock.release;
  if (shared === NO_FRAME) return outcome;
  outcome = yield* copySharedHuge(k, vma, row, shared);
  if (outcome === "oom") yield* splitIfHuge(k, vma, row);
  return outcome === "oom" ? "fallback" : outcome;
}

/** Nothing could be had for a copy: one base page may do. */
function* splitIfHuge(k: Kernel, vma: Vma, row: PmdRow): Path {
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  if (k.pt.pmd.kind[row] === PMD.HUGE) yield splitPmd(k, vma.mm, row, "cow");
  yield lock.release;
}

/** A huge page that is this process's alone, or that nobody else holds, becomes writable in place. */
function reuseHuge(k: Kernel, vma: Vma, row: PmdRow): boolean {
  const head = asPfn(k.pt.pmd.value[row]!);
  const { frames } = k;
  if ((frames.flags[head]! & FRAME.EXCLUSIVE) === 0) {
    const byMapCount = k.behaviours.reuseTest === "map-count";
    const holders = byMapCount ? mappingCount(k, head) : frames.refCount[head]!;
    if ((frames.flags[head]! & (FRAME.LOCKED | FRAME.SWAPCACHE)) !== 0 || holders > 1) return false;
    moveAnonRmap(k, head, vma);
  }
  k.pt.pmd.flags[row]! |= PTE.WRITE | PTE.DIRTY | PTE.YOUNG;
  return true;
}

/** 6.13+: the write takes a huge page of its own at once. */
function* replaceHugeZero(k: Kernel, vma: Vma, row: PmdRow): Path<FaultOutcome> {
  const head = yield* allocZeroedHuge(k, vma);
  if (head === NO_FRAME) return "fallback";
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const won = k.pt.pmd.kind[row] === PMD.HUGE_ZERO;
  if (won) {
    k.vmstat[C.thp_fault_alloc]! += 1;
    mapNewHuge(k, vma, row, head);
    emit(k, EVENT.hugeFault, vma.mm.id, vpnOfRow(k.pt, row), head);
    yield flushRange(k, vma.mm, vpnOfRow(k.pt, row), k.geometry.pagesPerHuge, "cow");
  }
  yield lock.release;
  if (won) return "anon-huge";
  putPage(k, head);
  return "retry";
}
