/**
 * When a sleep of that many milliseconds ends: the timer wheel counts in jiffies and rounds up by level.
 *
 * Models:       kernel/time/timer.c calc_index(), msecs_to_jiffies() with HZ=250 (Debian), v6.1.
 * Not modelled: other values of HZ, timer slack, deferrable timers.
 */
import { MS_NS } from "../core/units.ts";

const JIFFY_NS = 4 * MS_NS;
/** Buckets of a level; each further level is eight times coarser. */
const LEVEL_SPAN = 63;

/**
 * How long a sleep of `ms` lasts from `nowNs` on, in ns. A timer never fires early: it rounds up within its
 * level.
 */
export function wheelSleepNs(nowNs: number, ms: number): number {
  const jiffies = Math.ceil((ms * MS_NS) / JIFFY_NS);
  const now = Math.floor(nowNs / JIFFY_NS);
  let granularity = 1;
  while (jiffies >= LEVEL_SPAN * granularity && granularity < 8 ** 8) granularity *= 8;
  const expires = (Math.floor((now + jiffies) / granularity) + 1) * granularity;
  return expires * JIFFY_NS - nowNs;
}
