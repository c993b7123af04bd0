/**
 * TLB flushes of a batch of unmapped pages: one round for each address space instead of one for each page.
 *
 * Models:       mm/rmap.c set_tlb_ubc_flush_pending(), try_to_unmap_flush(), v6.1.
 * Not modelled: one round over the CPUs of all address spaces together; an mm's pages are flushed as one
 *               range, which flushes everything when they lie more than 33 pages apart.
 */
import type { Op } from "../../core/ops.ts";
import { asVpn, type Vpn } from "../../core/units.ts";
import type { Mm } from "../mm/mm.ts";
import type { Kernel } from "../state.ts";
import { flushRange } from "../tlb/shootdown.ts";

/** Address spaces in the order in which they were first met, each with the range to flush. */
export type FlushBatch = Map<Mm, { from: number; end: number }>;

/** Remembers that entries of [vpn, vpn + pages) changed. */
export function noteFlush(batch: FlushBatch, mm: Mm, vpn: Vpn, pages: number): void {
  const range = batch.get(mm);
  if (range === undefined) {
    batch.set(mm, { from: vpn, end: vpn + pages });
    return;
  }
  range.from = Math.min(range.from, vpn);
  range.end = Math.max(range.end, vpn + pages);
}

/** Flushes and forgets; the ops to yield go to `ops`. */
export function flushBatch(k: Kernel, batch: FlushBatch, ops: Op[]): void {
  for (const [mm, { from, end }] of batch) ops.push(flushRange(k, mm, asVpn(from), end - from, "reclaim"));
  batch.clear();
}
