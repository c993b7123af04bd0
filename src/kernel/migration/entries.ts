/**
 * Migration entries: what stands in a page table while the page that was there moves. Whoever faults on one
 * waits for the page's lock and looks again.
 *
 *     entry ──unmap──▶ migration entry (fault: wait) ──remap──▶ entry of the new page, or of the old one
 *
 * A migration entry here is a hint entry of a page that is in `k.moving`: it keeps its place in the page's
 * map count and references, so that unmapping, fork, mprotect and mremap treat it as what it stands for.
 *
 * Models:       mm/rmap.c try_to_migrate_one(), mm/migrate.c remove_migration_pte(),
 *               migration_entry_wait(), mm/huge_memory.c set_pmd_migration_entry(), v6.1.
 * Not modelled: device-private entries; FOLL_PIN's look at the PMD; stacks that exec is still setting up.
 */
import { EVENT } from "../../core/events.ts";
import type { Path } from "../../core/ops.ts";
import { asPfn, asVpn, type Pfn, type PmdRow } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import { pageTableLock } from "../locks.ts";
import { waitForPage } from "../mm/page-lock.ts";
import { PMD, PTE, vpnOfRow } from "../mm/page-table.ts";
import { headOf, hitAt, mappingCount, mappingsOf, type RmapHit } from "../mm/rmap.ts";
import { emit, enter, type Kernel } from "../state.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { makeAccessible, switchFrame } from "./switch-frame.ts";

/** The page whose migration entry this PTE or huge PMD is, or −1. The caller holds the page-table lock. */
export function movingPage(k: Kernel, row: PmdRow, pte: number): Pfn {
  if (k.moving.size === 0) return asPfn(-1);
  const huge = k.pt.pmd.kind[row] === PMD.HUGE;
  const flags = huge ? k.pt.pmd.flags[row]! : k.pt.pteFlags[pte]!;
  if ((flags & (PTE.PRESENT | PTE.HINT | PTE.ZERO | PTE.FILE)) !== (PTE.PRESENT | PTE.HINT)) return asPfn(-1);
  const head = headOf(k, asPfn(huge ? k.pt.pmd.value[row]! : k.pt.ptePfn[pte]!));
  return k.moving.has(head) ? head : asPfn(-1);
}

/** A fault met a migration entry of that page: waits until the page has moved, or has not. */
export function* waitForMove(k: Kernel, head: Pfn): Path {
  enter(k, "migration_entry_wait");
  const startNs = k.nowNs;
  yield* waitForPage(k, head);
  emit(k, EVENT.moveWait, head, k.nowNs - startNs);
}

/** Every mapping of a page becomes a migration entry. False if somebody mapped it anew meanwhile. */
export function* unmapForMove(k: Kernel, head: Pfn): Path<boolean> {
  for (const { vma, vpn, row, huge, pte } of entriesOf(k, head)) {
    const lock = pageTableLock(k, row);
    yield lock.acquire;
    const hit = hitAt(k, vma, vpn, huge ? head : asPfn(k.pt.ptePfn[pte]!), head);
    if (hit !== undefined && movingPage(k, hit.row, hit.pte) !== head) yield* unmapOne(k, hit, head);
    yield lock.release;
  }
  return entriesOf(k, head).every(({ row, pte }) => movingPage(k, row, pte) === head);
}

/** What could be used until now is flushed: a huge page in any case, a base page unless it was a hint. */
function* unmapOne(k: Kernel, { mm, vpn, row, huge, pte }: RmapHit, head: Pfn): Path {
  const { pt, geometry } = k;
  k.moving.add(head);
  if (huge) {
    pt.pmd.flags[row]! |= PTE.HINT;
    yield flushRange(k, mm, vpnOfRow(pt, row), geometry.pagesPerHuge, "migrate", geometry.pagesPerHuge);
    return;
  }
  // AutoNUMA flushes its marks late, and its kernels flushed whatever they unmapped.
  const late = mm.flushesPending > 0 || k.behaviours.numaDesign.policy === "autonuma";
  const hidden = (pt.pteFlags[pte]! & PTE.HINT) !== 0 && !late;
  pt.pteFlags[pte]! |= PTE.HINT;
  if (!hidden) yield flushRange(k, mm, asVpn(vpn), 1, "migrate");
}

/** Where a page is mapped: its PMDs, and the PTEs of its parts if a PMD was split meanwhile. */
function entriesOf(k: Kernel, head: Pfn): RmapHit[] {
  const hits = mappingsOf(k, head);
  const mapped = mappingCount(k, head);
  for (let part = 1; hits.length < mapped && part < k.geometry.pagesPerHuge; part++)
    hits.push(...mappingsOf(k, asPfn(head + part)).filter(({ huge }) => !huge));
  assert(hits.length === mapped, "whoever maps a page is found through its areas");
  return hits;
}

/**
 * Every migration entry of `from` becomes an accessible entry of `to`, or of `from` itself if it stays. All
 * of them change in one step, under one page-table lock while nobody has the others.
 */
export function* settleMove(k: Kernel, from: Pfn, to: Pfn): Path {
  let lock = entriesOf(k, from).map(({ row }) => pageTableLock(k, row))[0];
  for (;;) {
    if (lock !== undefined) yield lock.acquire;
    const hits = entriesOf(k, from);
    const locks = hits.map(({ row }) => pageTableLock(k, row));
    const busy = locks.find((each) => each !== lock && each.holder !== -1);
    if (busy === undefined) {
      if (to === from) for (const hit of hits) makeAccessible(k, hit);
      else switchFrame(k, from, to, hits);
      k.moving.delete(from);
    }
    if (lock !== undefined) yield lock.release;
    if (busy === undefined) return;
    lock = busy;
  }
}
