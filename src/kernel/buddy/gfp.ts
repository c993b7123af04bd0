/**
 * What an allocation may do to get its memory.
 *
 * Models:       include/linux/gfp_types.h, v6.1.
 * Not modelled: zone modifiers (every request is highuser, which means Normal at most here), I/O and FS
 *               limits.
 */
import { MIGRATE } from "./state.ts";

/** Bits of an allocation's effort. None: take what is free, wake nobody (GFP_TRANSHUGE_LIGHT). */
export const GFP = {
  /** User memory: may be moved. Zero, the default, so that it can be said. */
  MOVABLE: 0,
  DIRECT_RECLAIM: 1,
  /** Wake kswapd when memory is below low. */
  KSWAPD: 2,
  /** Give up early: no second round of compaction, none at all if the first was skipped. */
  NORETRY: 4,
  /** The named node alone. */
  THISNODE: 8,
  /** For the kernel's own use: the page will never move. */
  UNMOVABLE: 16,
  RECLAIMABLE: 32,
  /** May use half of the min reserve. */
  HIGH: 64,
} as const;

/** An ordinary user page: GFP_HIGHUSER_MOVABLE. */
export const GFP_USER = GFP.DIRECT_RECLAIM | GFP.KSWAPD;

/** Migratetype that a request asks for. */
export function migrateTypeOf(gfp: number): number {
  if ((gfp & GFP.UNMOVABLE) !== 0) return MIGRATE.UNMOVABLE;
  return (gfp & GFP.RECLAIMABLE) !== 0 ? MIGRATE.RECLAIMABLE : MIGRATE.MOVABLE;
}
