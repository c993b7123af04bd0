/**
 * fork: a second address space that shares every anonymous page until one of the two writes.
 *
 *     for each area (not MADV_DONTFORK): copy it ──▶ for each region: share PMD or PTEs, write-protect both
 *     then flush the parent's TLBs
 *
 * Models:       kernel/fork.c dup_mmap(), mm/memory.c copy_page_range(), mm/huge_memory.c copy_huge_pmd(),
 *               v6.1.
 * Not modelled: pages pinned with FOLL_PIN (copied at once since v5.10; our pins are plain references),
 *               MADV_WIPEONFORK, files' pages (they fault again in the child), per-area policies.
 */
import { EVENT } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import { asPfn, NO_ROW, type PmdRow, type Vpn } from "../../core/units.ts";
import { khugepagedFork } from "../khugepaged/register.ts";
import { pageTableLock } from "../locks.ts";
import { numaPolicy } from "../numa/policy.ts";
import { shareSwapSlot } from "../reclaim/swap.ts";
import { emit, type Kernel, spend } from "../state.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { FRAME } from "./frames.ts";
import { addAnonPages, addFilePages, addHugePmds, addTouched, type Mm, makeMm } from "./mm.ts";
import { copyOnlyRead, PMD, PTE, vpnOfRow } from "./page-table.ts";
import { forkAnonVma, headOf } from "./rmap.ts";
import { countTables, countUsed, ensureRow, installPteTable, nextUsedRow } from "./tables.ts";
import { addPteRmap } from "./unmap-rmap.ts";
import { VM, type Vma } from "./vma.ts";

/** Makes the child's address space. */
export function* forkMm(k: Kernel, parent: Mm): Path<Mm> {
  const startNs = k.nowNs;
  spend(k, k.costs.forkNs);
  const child = makeMm(k);
  child.name = parent.name;
  child.thpDisable = parent.thpDisable;
  child.brkStart = parent.brkStart;
  child.brkEnd = parent.brkEnd;
  child.filePagesFromTrace = parent.filePagesFromTrace;
  Object.assign(child.numa, parent.numa);
  yield parent.mmapLock.acquire;
  khugepagedFork(k, parent, child);
  for (const vma of parent.vmas) {
    if ((vma.flags & VM.DONTCOPY) !== 0) continue;
    const copy: Vma = {
      mm: child,
      start: vma.start,
      end: vma.end,
      flags: vma.flags & ~VM.LOCKED,
      pgoff: vma.pgoff,
      anonVma: undefined,
      chain: [],
      readAhead: vma.readAhead,
      shared: vma.shared,
      hasReservations: false,
    };
    if (copy.shared !== undefined) copy.shared.users += 1;
    child.vmas.push(copy);
    forkAnonVma(k, copy, vma);
    if (vma.anonVma !== undefined) yield* copyArea(k, parent, child, vma);
  }
  const first = parent.vmas[0];
  if (first !== undefined) {
    const last = parent.vmas[parent.vmas.length - 1]!;
    yield flushRange(k, parent, first.start, last.end - first.start, "fork");
  }
  yield parent.mmapLock.release;
  const { enter } = numaPolicy(k);
  if (enter !== undefined) yield* enter(k, child);
  emit(k, EVENT.fork, parent.id, child.id, k.nowNs - startNs);
  return child;
}

function* copyArea(k: Kernel, parent: Mm, child: Mm, vma: Vma): Path {
  for (let row = nextUsedRow(k, parent, vma.start, vma.end); row !== NO_ROW; ) {
    const first = vpnOfRow(k.pt, row);
    const behind = first + k.geometry.pagesPerHuge;
    const childRow = ensureRow(k, child, first as Vpn);
    const lock = pageTableLock(k, row);
    yield lock.acquire;
    const kind = k.pt.pmd.kind[row];
    if (kind === PMD.HUGE_ZERO) copyHugeZero(k, child, childRow);
    else if (kind === PMD.HUGE) copyHuge(k, child, row, childRow);
    else if (kind === PMD.TABLE) {
      copyPtes(k, child, row, childRow, Math.max(first, vma.start), Math.min(behind, vma.end));
    }
    copyTouched(k, child, row, childRow, Math.max(first, vma.start), Math.min(behind, vma.end));
    yield lock.release;
    row = nextUsedRow(k, parent, behind, vma.end);
  }
}

function copyHugeZero(k: Kernel, child: Mm, childRow: PmdRow): void {
  const { pmd } = k.pt;
  if (!child.usesHugeZero) {
    child.usesHugeZero = true;
    k.thp.hugeZeroUsers += 1;
  }
  pmd.kind[childRow] = PMD.HUGE_ZERO;
  pmd.flags[childRow] = PTE.PRESENT;
  pmd.value[childRow] = 0;
  countUsed(k, childRow, 1);
  countTables(k, child, 1);
  spend(k, k.costs.forkPmdNs);
}

function copyHuge(k: Kernel, child: Mm, row: PmdRow, childRow: PmdRow): void {
  const { pmd } = k.pt;
  const head = asPfn(pmd.value[row]!);
  k.frames.refCount[head]! += 1;
  k.blocks.hugeMapCount[head >> k.geometry.hugeOrder]! += 1;
  k.frames.flags[head]! &= ~FRAME.EXCLUSIVE;
  pmd.flags[row]! &= ~PTE.WRITE;
  pmd.kind[childRow] = PMD.HUGE;
  pmd.flags[childRow] = pmd.flags[row]! & ~PTE.YOUNG;
  pmd.value[childRow] = head;
  countUsed(k, childRow, 1);
  countTables(k, child, 1);
  addAnonPages(child, k.geometry.pagesPerHuge);
  addHugePmds(child, 1);
  spend(k, k.costs.forkPmdNs);
}

function copyPtes(k: Kernel, child: Mm, row: PmdRow, childRow: PmdRow, from: number, to: number): void {
  if (k.pt.pmd.kind[childRow] === PMD.NONE) installPteTable(k, child, childRow);
  const n = k.geometry.pagesPerHuge;
  const source = k.pt.pmd.value[row]! * n;
  const target = k.pt.pmd.value[childRow]! * n;
  const { ptePfn, pteFlags } = k.pt;
  let copied = 0;
  let anon = 0;
  for (let i = from % n, end = (from % n) + (to - from); i < end; i++) {
    const flags = pteFlags[source + i]!;
    if (flags === 0) continue;
    copied++;
    const pfn = asPfn(ptePfn[source + i]!);
    if ((flags & PTE.SWAP) !== 0) {
      shareSwapSlot(k, pfn);
      child.swapEntries += 1;
    } else if ((flags & (PTE.ZERO | PTE.FILE)) === 0) {
      k.frames.refCount[headOf(k, pfn)]! += 1;
      addPteRmap(k, pfn);
      k.frames.flags[pfn]! &= ~FRAME.EXCLUSIVE;
      anon++;
    } else if ((flags & PTE.FILE) !== 0 && !child.filePagesFromTrace) {
      addFilePages(child, 1);
    }
    pteFlags[source + i] = flags & ~PTE.WRITE;
    pteFlags[target + i] = flags & ~(PTE.WRITE | PTE.YOUNG);
    ptePfn[target + i] = pfn;
  }
  addAnonPages(child, anon);
  spend(k, copied * k.costs.forkPteNs);
}

/** A child has touched what its parent touched: it knows the data. */
function copyTouched(k: Kernel, child: Mm, row: PmdRow, childRow: PmdRow, start: number, end: number): void {
  const { touched, geometry } = k.pt;
  const n = geometry.pagesPerHuge;
  if (k.pt.pmd.kind[childRow] === PMD.NONE) return;
  const whole = k.pt.pmd.kind[childRow] === PMD.HUGE;
  for (let i = start % n, behind = i + (end - start); i < behind; i++) {
    const from = row * n + i;
    const into = childRow * n + i;
    if ((touched[from >> 3]! & (1 << (from & 7))) === 0 || (touched[into >> 3]! & (1 << (into & 7))) !== 0)
      continue;
    touched[into >> 3]! |= 1 << (into & 7);
    copyOnlyRead(k.pt, from, into);
    k.pt.pmd.touched[childRow]! += 1;
    addTouched(child, 1);
    if (whole) child.hugeTouched += 1;
  }
}
