/**
 * mremap: shrink in place, grow in place, or move the page tables to a new place.
 *
 *     old:  [ huge ][ table ][ part ]          aligned to the same offset: the huge PMD moves as it is
 *            │        │        │               otherwise: the PMD is split and its PTEs move one by one
 *     new:  [ huge ][ table ][ part ]
 *
 * Models:       mm/mremap.c mremap_to(), move_vma(), move_page_tables(), mm/huge_memory.c move_huge_pmd(),
 *               v6.1.
 * Not modelled: MREMAP_DONTUNMAP, moving whole PUDs, locked areas, files' offsets; moving a range of several
 *               areas at once (6.17+).
 */
import type { Op, Path } from "../../core/ops.ts";
import { asVpn, NO_ROW, type PmdRow, type Vpn } from "../../core/units.ts";
import { pageTableLock } from "../locks.ts";
import { moveReservation, releaseForMove } from "../reservation/release.ts";
import { faultsReserve } from "../reservation/reserve.ts";
import { type Kernel, spend } from "../state.ts";
import { splitPmd } from "../thp/split.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { joinNext, mergeNew } from "./edges.ts";
import { ERRNO } from "./errno.ts";
import type { Mm } from "./mm.ts";
import { chooseAddress, overcommitRefuses, TASK_END_VPN } from "./mmap.ts";
import { unmapLocked } from "./munmap.ts";
import { copyOnlyRead, findRow, PMD, pteIndex, vpnOfRow } from "./page-table.ts";
import { cloneAnonVmas, reinsertInAnonVmas } from "./rmap.ts";
import { clearRow, countUsed, ensureRow, installPteTable, nextUsedRow } from "./tables.ts";
import { findVma, insertVma, VM, type Vma, vmaIndex } from "./vma.ts";

/**
 * mremap with MREMAP_MAYMOVE, and MREMAP_FIXED when `to` is given. The new first page, or an errno negated.
 */
export function* mremap(
  k: Kernel,
  mm: Mm,
  start: number,
  oldPages: number,
  newPages: number,
  to: number | undefined,
): Path<number> {
  spend(k, k.costs.syscallNs);
  yield mm.mmapLock.acquire;
  const result = yield* remapLocked(k, mm, start, oldPages, newPages, to);
  yield mm.mmapLock.release;
  return result;
}

function* remapLocked(
  k: Kernel,
  mm: Mm,
  start: number,
  oldPages: number,
  newPages: number,
  to: number | undefined,
): Path<number> {
  if (newPages <= 0 || oldPages <= 0) return -ERRNO.EINVAL;
  if (findVma(mm, asVpn(start)) === undefined) return -ERRNO.EFAULT;
  if (to !== undefined) {
    if (!Number.isInteger(to) || to + newPages > TASK_END_VPN) return -ERRNO.EINVAL;
    if (start + oldPages > to && to + newPages > start) return -ERRNO.EINVAL;
    yield* unmapLocked(k, mm, to, to + newPages);
  }
  if (oldPages >= newPages) {
    if (oldPages > newPages) yield* unmapLocked(k, mm, start + newPages, start + oldPages);
    if (to === undefined) return start;
    oldPages = newPages;
  }
  const vma = findVma(mm, asVpn(start));
  if (vma === undefined || start + oldPages > vma.end) return -ERRNO.EFAULT;
  if ((vma.flags & VM.ACCOUNT) !== 0 && overcommitRefuses(k, newPages - oldPages)) return -ERRNO.ENOMEM;
  if (to === undefined) {
    if (start + oldPages === vma.end && growInPlace(k, mm, vma, newPages - oldPages)) return start;
    to = chooseAddress(k, mm, newPages, (vma.flags & VM.FILE) === 0);
    if (to < 0) return -ERRNO.ENOMEM;
  }
  yield* moveArea(k, mm, vma, start, oldPages, to, newPages);
  return to;
}

/** The gap behind the area takes the growth. */
function growInPlace(k: Kernel, mm: Mm, vma: Vma, pages: number): boolean {
  const next = mm.vmas[vmaIndex(mm, vma.end)];
  const limit = next === undefined ? TASK_END_VPN : next.start;
  if (vma.end + pages > limit) return false;
  const end = vma.end;
  const joined = next !== undefined && next.start === end + pages;
  vma.end = (end + pages) as Vpn;
  reinsertInAnonVmas(vma);
  mm.lastVma = undefined;
  if (joined) joinNext(k, mm, vma);
  return true;
}

function* moveArea(
  k: Kernel,
  mm: Mm,
  vma: Vma,
  start: number,
  oldPages: number,
  to: number,
  newPages: number,
): Path {
  const pgoff = vma.anonVma === undefined && vma.shared === undefined ? to : vma.pgoff + (start - vma.start);
  const target = placeCopy(k, mm, vma, to, newPages, pgoff);
  releaseForMove(k, target, start, start + oldPages, to);
  yield* moveTables(k, mm, start, oldPages, to);
  yield* unmapLocked(k, mm, start, start + oldPages);
}

/** The new place: a neighbour that takes it in, or an area like the old one. */
function placeCopy(k: Kernel, mm: Mm, vma: Vma, to: number, pages: number, pgoff: number): Vma {
  if ((vma.flags & (VM.FILE | VM.UNKNOWN)) === 0) {
    const merged = mergeNew(k, mm, { start: to, end: to + pages, flags: vma.flags, pgoff }, vma);
    if (merged !== undefined) return merged;
  }
  const copy: Vma = {
    mm,
    start: to as Vpn,
    end: (to + pages) as Vpn,
    flags: vma.flags,
    pgoff,
    anonVma: undefined,
    chain: [],
    readAhead: vma.readAhead,
    shared: vma.shared,
    hasReservations: vma.hasReservations && faultsReserve(k),
  };
  if (copy.shared !== undefined) copy.shared.users += 1;
  cloneAnonVmas(copy, vma);
  insertVma(mm, copy);
  return copy;
}

/**
 * Moves the entries of [start, start + pages) to `to`, in steps that leave neither a source nor a target
 * region.
 */
function* moveTables(k: Kernel, mm: Mm, start: number, pages: number, to: number): Path {
  const n = k.geometry.pagesPerHuge;
  const end = start + pages;
  let moved = false;
  for (let at = start; at < end; ) {
    const target = to + (at - start);
    const extent = Math.min(n - (at % n), n - (target % n), end - at);
    const row = findRow(k.pt, mm.directory, asVpn(at));
    if (row === NO_ROW || k.pt.pmd.kind[row] === PMD.NONE) {
      const next = nextUsedRow(k, mm, at, end);
      if (next === NO_ROW) break;
      at = Math.max(at + extent, vpnOfRow(k.pt, next));
      continue;
    }
    const targetRow = ensureRow(k, mm, asVpn(target));
    const lock = pageTableLock(k, row);
    yield lock.acquire;
    const flush = moveStep(k, mm, row, targetRow, at, target, extent);
    if (flush !== undefined) yield flush;
    yield lock.release;
    moved = true;
    at += extent;
  }
  if (moved) yield flushRange(k, mm, asVpn(start), pages, "remap");
}

function moveStep(
  k: Kernel,
  mm: Mm,
  row: PmdRow,
  targetRow: PmdRow,
  at: number,
  target: number,
  extent: number,
): Op | undefined {
  const { pt, geometry } = k;
  const whole = extent === geometry.pagesPerHuge;
  const kind = pt.pmd.kind[row]!;
  if (whole) moveReservation(k, row, targetRow);
  const movedTouched = moveTouched(k, row, targetRow, at, target, extent);
  if (kind === PMD.HUGE) mm.hugeTouched -= movedTouched;
  if (whole && pt.pmd.kind[targetRow] === PMD.NONE) {
    pt.pmd.kind[targetRow] = kind;
    if (kind === PMD.HUGE) mm.hugeTouched += movedTouched;
    pt.pmd.flags[targetRow] = pt.pmd.flags[row]!;
    pt.pmd.value[targetRow] = pt.pmd.value[row]!;
    countUsed(k, targetRow, 1);
    clearRow(k, row);
    return undefined;
  }
  const split = kind === PMD.TABLE ? undefined : splitPmd(k, mm, row);
  if (pt.pmd.kind[targetRow] === PMD.NONE) installPteTable(k, mm, targetRow);
  const from = pteIndex(pt, row, asVpn(at));
  const into = pteIndex(pt, targetRow, asVpn(target));
  for (let i = 0; i < extent; i++) {
    if (pt.pteFlags[from + i] === 0) continue;
    pt.ptePfn[into + i] = pt.ptePfn[from + i]!;
    pt.pteFlags[into + i] = pt.pteFlags[from + i]!;
    pt.pteFlags[from + i] = 0;
    pt.ptePfn[from + i] = 0;
  }
  spend(k, extent * k.costs.changePteNs);
  return split;
}

/** What the program touched moves along; returns how many pages. */
function moveTouched(
  k: Kernel,
  row: PmdRow,
  targetRow: PmdRow,
  at: number,
  target: number,
  extent: number,
): number {
  const { touched, geometry } = k.pt;
  const n = geometry.pagesPerHuge;
  let moved = 0;
  for (let i = 0; i < extent; i++) {
    const from = row * n + ((at + i) % n);
    if ((touched[from >> 3]! & (1 << (from & 7))) === 0) continue;
    const into = targetRow * n + ((target + i) % n);
    touched[from >> 3]! &= ~(1 << (from & 7));
    touched[into >> 3]! |= 1 << (into & 7);
    copyOnlyRead(k.pt, from, into);
    k.pt.pmd.touched[row]! -= 1;
    k.pt.pmd.touched[targetRow]! += 1;
    moved++;
  }
  return moved;
}
