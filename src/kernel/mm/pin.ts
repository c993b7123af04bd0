/**
 * A long-lived pin: references that a device or another subsystem took with get_user_pages and keeps.
 *
 * Models:       mm/gup.c get_user_pages() with FOLL_WRITE: faults in what is missing, then one reference a
 *               base page.
 * Not modelled: FOLL_PIN's bias, FOLL_LONGTERM's migration out of movable zones.
 */
import { asPfn, asVpn, NO_ROW, type Pfn, type Vpn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import { putPage } from "../buddy/free.ts";
import type { Kernel } from "../state.ts";
import type { Mm } from "./mm.ts";
import { findRow, PMD, PTE, pteIndex } from "./page-table.ts";
import { headOf } from "./rmap.ts";

/**
 * Pins the page that is mapped at `vpn`; false if none is, or not for writing when that is what it is for
 * (the caller faults it in and tries again).
 */
export function pinPage(k: Kernel, mm: Mm, vpn: number, write = true): boolean {
  const pfn = frameAt(k, mm, vpn);
  // Nobody counts the references of a zero page.
  if (pfn < 0) return !write && hasTranslation(k, mm, asVpn(vpn));
  if (write ? !isWritable(k, mm, vpn) : !hasTranslation(k, mm, asVpn(vpn))) return false;
  const head = headOf(k, pfn);
  k.frames.refCount[head]! += 1;
  k.pins.set(head, (k.pins.get(head) ?? 0) + 1);
  mm.pins.push(head);
  return true;
}

/** A pin is for writing: a page still shared with a fork is copied first, by a write fault. */
function isWritable(k: Kernel, mm: Mm, vpn: number): boolean {
  const row = findRow(k.pt, mm.directory, asVpn(vpn));
  const small = k.pt.pmd.kind[row] === PMD.TABLE;
  const flags = small ? k.pt.pteFlags[pteIndex(k.pt, row, asVpn(vpn))]! : k.pt.pmd.flags[row]!;
  return (flags & (PTE.WRITE | PTE.HINT)) === PTE.WRITE;
}

/** Lets go of the last pin on that page. */
export function unpinPage(k: Kernel, mm: Mm, head: Pfn): void {
  const at = mm.pins.lastIndexOf(head);
  assert(at >= 0, "a page that is unpinned was pinned");
  mm.pins.splice(at, 1);
  dropPin(k, head);
}

function dropPin(k: Kernel, head: Pfn): void {
  const left = k.pins.get(head)! - 1;
  if (left === 0) k.pins.delete(head);
  else k.pins.set(head, left);
  putPage(k, head);
}

/** exit: lets go of everything that the process had pinned. */
export function unpinAll(k: Kernel, mm: Mm): void {
  for (const head of mm.pins) dropPin(k, head);
  mm.pins.length = 0;
}

/** Lets go of some of what the process has pinned; a page that is pinned twice stands in the list twice. */
export function unpinSome(k: Kernel, mm: Mm, heads: readonly Pfn[]): void {
  for (const head of heads) unpinPage(k, mm, head);
}

/** The frame that backs a page, or -1: nothing, the zero page, a file's page, swap. */
export function frameAt(k: Kernel, mm: Mm, vpn: number): Pfn {
  const row = findRow(k.pt, mm.directory, asVpn(vpn));
  if (row === NO_ROW) return asPfn(-1);
  const kind = k.pt.pmd.kind[row];
  if (kind === PMD.HUGE) return asPfn(k.pt.pmd.value[row]! + (vpn % k.geometry.pagesPerHuge));
  if (kind !== PMD.TABLE) return asPfn(-1);
  const pte = pteIndex(k.pt, row, asVpn(vpn));
  const present = (k.pt.pteFlags[pte]! & (PTE.PRESENT | PTE.ZERO | PTE.FILE)) === PTE.PRESENT;
  return asPfn(present ? k.pt.ptePfn[pte]! : -1);
}

/** Whether a page has a present entry of any kind that is no NUMA hint: a read would not fault. */
export function hasTranslation(k: Kernel, mm: Mm, vpn: Vpn): boolean {
  const row = findRow(k.pt, mm.directory, vpn);
  if (row === NO_ROW) return false;
  const kind = k.pt.pmd.kind[row];
  if (kind === PMD.NONE) return false;
  const flags = kind === PMD.TABLE ? k.pt.pteFlags[pteIndex(k.pt, row, vpn)]! : k.pt.pmd.flags[row]!;
  return (flags & (PTE.PRESENT | PTE.HINT)) === PTE.PRESENT;
}
