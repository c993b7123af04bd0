/**
 * mprotect: change what a range allows, area by area; huge PMDs stay huge where their whole region changes.
 *
 * Models:       mm/mprotect.c do_mprotect_pkey(), change_protection(), change_pmd_range(),
 *               change_huge_pmd(), v6.1; writable upgrade v6.2.
 * Not modelled: protection keys, soft-dirty and uffd write-protection, PROT_GROWS*.
 */
import { C } from "../../core/counters.ts";
import type { Op, Path } from "../../core/ops.ts";
import { asPfn, asVpn, NO_ROW, type PmdRow } from "../../core/units.ts";
import { pageTableLock } from "../locks.ts";
import { movingPage } from "../migration/entries.ts";
import { type Kernel, spend } from "../state.ts";
import { splitPmd } from "../thp/split.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { changeFlags } from "./edges.ts";
import { ERRNO } from "./errno.ts";
import { FRAME } from "./frames.ts";
import type { Mm } from "./mm.ts";
import { PMD, PTE, vpnOfRow } from "./page-table.ts";
import { nextUsedRow } from "./tables.ts";
import { noAccessMark, VM, VM_ACCESS, type Vma, vmaIndex } from "./vma.ts";

/** mprotect of [start, start + pages). `access`: READ, WRITE, EXEC bits. 0, or an errno negated. */
export function* mprotect(k: Kernel, mm: Mm, start: number, pages: number, access: number): Path<number> {
  spend(k, k.costs.syscallNs);
  if (pages <= 0) return 0;
  const end = start + pages;
  yield mm.mmapLock.acquire;
  let at = start;
  while (at < end) {
    const vma = mm.vmas[vmaIndex(mm, at)];
    if (vma === undefined || vma.start > at) break;
    at = yield* protectPart(k, vma, at, Math.min(end, vma.end), access);
  }
  yield mm.mmapLock.release;
  return at < end ? -ERRNO.ENOMEM : 0;
}

/** Changes the part of one area; returns where the next part begins. */
function* protectPart(k: Kernel, vma: Vma, start: number, end: number, access: number): Path<number> {
  let flags = (vma.flags & ~VM_ACCESS) | access;
  if (flags === vma.flags) return end;
  const accounted = VM.ACCOUNT | VM.WRITE | VM.SHARED | VM.NORESERVE | VM.FILE;
  if ((access & VM.WRITE) !== 0 && (vma.flags & accounted) === 0) flags |= VM.ACCOUNT;
  const ops: Op[] = [];
  changeFlags(k, vma, start, end, flags, ops);
  for (const op of ops) yield op;
  let changed = 0;
  for (let row = nextUsedRow(k, vma.mm, start, end); row !== NO_ROW; ) {
    const first = vpnOfRow(k.pt, row);
    const behind = first + k.geometry.pagesPerHuge;
    const lock = pageTableLock(k, row);
    yield lock.acquire;
    const split = protectRow(k, vma.mm, row, Math.max(first, start), Math.min(behind, end), flags);
    if (split !== undefined) yield split;
    yield lock.release;
    changed += Math.min(behind, end) - Math.max(first, start);
    row = nextUsedRow(k, vma.mm, behind, end);
  }
  if (changed > 0) yield flushRange(k, vma.mm, asVpn(start), end - start, "protect");
  return end;
}

/** Changes the entries of one region. */
function protectRow(k: Kernel, mm: Mm, row: PmdRow, from: number, to: number, flags: number): Op | undefined {
  const { pt, geometry } = k;
  const writable = (flags & VM.WRITE) !== 0;
  const noAccess = noAccessMark(flags);
  const kind = pt.pmd.kind[row];
  let split: Op | undefined;
  if (kind === PMD.HUGE || kind === PMD.HUGE_ZERO) {
    if (to - from === geometry.pagesPerHuge) {
      protectHuge(k, row, writable, noAccess);
      return undefined;
    }
    split = splitPmd(k, mm, row);
  }
  const base = pt.pmd.value[row]! * geometry.pagesPerHuge + (from % geometry.pagesPerHuge);
  let changed = 0;
  for (let i = base; i < base + (to - from); i++) {
    const entry = pt.pteFlags[i]!;
    if ((entry & PTE.PRESENT) === 0) continue;
    changed++;
    if (movingPage(k, row, i) >= 0) {
      // A migration entry stays one; it loses write permission whatever is asked for.
      pt.pteFlags[i] = entry & ~PTE.WRITE;
      continue;
    }
    const upgraded = writable && ((flags & VM.SHARED) !== 0 || mayUpgrade(k, entry, pt.ptePfn[i]!));
    const kept = writable ? entry & ~PTE.HINT : entry & ~(PTE.WRITE | PTE.HINT);
    pt.pteFlags[i] = kept | noAccess | (upgraded ? PTE.WRITE : 0);
  }
  spend(k, changed * k.costs.changePteNs);
  return split;
}

/**
 * A page that is this process's alone becomes writable without a fault; up to 6.1 only if it is dirty; to
 * 5.13 not.
 */
function mayUpgrade(k: Kernel, entry: number, pfn: number): boolean {
  if ((entry & (PTE.ZERO | PTE.FILE)) !== 0) return false;
  if (!k.behaviours.protectUpgrades) return false;
  if (!k.behaviours.protectUpgradesHuge && (entry & PTE.DIRTY) === 0) return false;
  return (k.frames.flags[asPfn(pfn)]! & FRAME.EXCLUSIVE) !== 0;
}

function protectHuge(k: Kernel, row: PmdRow, writable: boolean, noAccess: number): void {
  const { pmd } = k.pt;
  spend(k, k.costs.changePteNs);
  if (movingPage(k, row, -1) >= 0) {
    pmd.flags[row]! &= ~PTE.WRITE;
    return;
  }
  if (k.behaviours.protectCountsHuge) k.vmstat[C.numa_huge_pte_updates]! += 1;
  pmd.flags[row] = (pmd.flags[row]! & ~PTE.HINT) | noAccess;
  if (!writable) {
    pmd.flags[row]! &= ~PTE.WRITE;
    return;
  }
  if (!k.behaviours.protectUpgradesHuge || pmd.kind[row] !== PMD.HUGE) return;
  if ((k.frames.flags[asPfn(pmd.value[row]!)]! & FRAME.EXCLUSIVE) !== 0) pmd.flags[row]! |= PTE.WRITE;
}
