/**
 * What only the explorer wants to know of a path: where page contents go, when frames are freed, which
 * translations are forgotten, where a path may sleep. Under the engine nobody listens, and each call is a
 * branch.
 *
 * Models:       what hardware does beside the kernel's bookkeeping: memory that is copied and cleared, TLB
 *               entries that go; might_sleep() of include/linux/kernel.h, v6.1.
 * Not modelled: contents under the engine.
 */
import type { Pfn, Vpn } from "../core/units.ts";
import type { Mm } from "./mm/mm.ts";
import type { Kernel } from "./state.ts";

/** Told by mechanisms as it happens. */
export interface Witness {
  /** `pages` frames from `from` on were copied to those from `to` on. */
  readonly copied: (from: Pfn, to: Pfn, pages: number) => void;
  /** `pages` frames from `pfn` on were cleared. */
  readonly zeroed: (pfn: Pfn, pages: number) => void;
  /** The frames have gone back to the allocator: what they held may be anybody's from now on. */
  readonly freed: (pfn: Pfn, pages: number) => void;
  readonly swappedOut: (pfn: Pfn, slot: number) => void;
  readonly swappedIn: (slot: number, pfn: Pfn) => void;
  /** That CPU has forgotten its translations of the range. */
  readonly flushed: (cpu: number, mm: Mm, fromVpn: Vpn, pages: number) => void;
  /** The path may sleep here, for instance in an allocation that may reclaim. */
  readonly mightSleep: (where: string) => void;
}

/** Frames are copied: one page after the other, before another CPU sees the copy. */
export function noteCopied(k: Kernel, from: Pfn, to: Pfn, pages: number): void {
  if (k.witness !== undefined) k.witness.copied(from, to, pages);
}

/** Frames are cleared. */
export function noteZeroed(k: Kernel, pfn: Pfn, pages: number): void {
  if (k.witness !== undefined) k.witness.zeroed(pfn, pages);
}

/** Who is here may not hold a spinlock. */
export function mightSleep(k: Kernel, where: string): void {
  if (k.witness !== undefined) k.witness.mightSleep(where);
}
