/**
 * The mark that a page carried in 2012: the node (or CPU) of its last hint fault, −1 for none.
 *
 *     fault ─▶ exchange(page, me) ─▶ the same as before? then the page may follow
 *
 * It lies in the column where mainline keeps its cpupid: freed and reused pages lose it, migrated ones take
 * it along, the base pages of a split huge page get the head's.
 *
 * Models:       page_xchg_last_nid(), reset_page_last_nid(), v3.8; autonuma_last_nid; page->_last_cpu.
 * Not modelled: packing into page->flags.
 */
import type { Pfn } from "../../../core/units.ts";
import type { Kernel } from "../../state.ts";
import { exchangeCpupid, lastCpupid } from "../cpupid.ts";

/** Nobody has faulted on the page yet. */
export const LAST_NONE = -1;

export function lastUser(k: Kernel, head: Pfn): number {
  return lastCpupid(k, head);
}

/** Sets the mark and returns what it was. */
export function exchangeLast(k: Kernel, head: Pfn, user: number): number {
  return exchangeCpupid(k, head, user);
}
