/**
 * The allocator's slow path: memory is below the low watermark, or too scattered for the order.
 *
 *     wake kswapd ─▶ zones at min ─▶ [costly: compact] ─▶ zones ─▶ reclaim ─▶ zones ─▶ [compact] ─▶ fail
 *                                                          ▲                                    │
 *                                                          └─ orders 0–3, while it makes sense ─┘
 *
 * Models:       mm/page_alloc.c __alloc_pages_slowpath(), __alloc_pages_direct_reclaim(),
 *               should_reclaim_retry(), v6.1.
 * Not modelled: choosing a victim (NO_FRAME for an order that is not costly means that the machine is out of
 *               memory; the caller says so), memory reserves, should_compact_retry for orders 1–3.
 *               Per-CPU lists are drained before the machine is called out of memory, where the kernel would
 *               kill.
 */
import { C } from "../../core/counters.ts";
import type { Path } from "../../core/ops.ts";
import { NO_FRAME, type NodeId, type Pfn } from "../../core/units.ts";
import { directReclaim, reclaimablePages } from "../reclaim/direct.ts";
import { enter, type Kernel } from "../state.ts";
import { directCompact } from "./compact.ts";
import { GFP } from "./gfp.ts";
import { wakeKswapd } from "./kswapd-wake.ts";
import { drainAllPcps } from "./pcp.ts";
import { ZONE } from "./state.ts";
import { COMPACT, isCostly } from "./suitable.ts";
import { sweepZones } from "./zonelist.ts";

/** Rounds of reclaim without progress after which the machine is out of memory (MAX_RECLAIM_RETRIES). */
const FRUITLESS_ROUNDS_MAX = 16;

/** Wakes kswapd of every node that the request may use. */
function wakeAllKswapds(k: Kernel, order: number, node: NodeId, gfp: number): void {
  let last = -1;
  for (const zone of k.buddy.nodes[node]!.zonelist) {
    if (zone.node === last) continue;
    if (zone.node !== node && (gfp & GFP.THISNODE) !== 0) return;
    last = zone.node;
    wakeKswapd(k, zone, order, (gfp & GFP.DIRECT_RECLAIM) !== 0);
  }
}

/** Reclaims, then tries again, the second time with everything that CPUs hold back given up. */
function* reclaimAndTake(
  k: Kernel,
  order: number,
  node: NodeId,
  gfp: number,
): Path<{ readonly found: Pfn; readonly progressPages: number }> {
  const progressPages = yield* directReclaim(k, order, node, gfp);
  let found = progressPages > 0 ? yield* sweepZones(k, order, node, gfp, "min") : NO_FRAME;
  // Without progress the kernel drains only on its way to an OOM kill; costly orders never get there.
  if (found === NO_FRAME && (progressPages > 0 || !isCostly(k.buddy, order))) {
    drainAllPcps(k.buddy);
    k.vmstat[C.nr_free_pages] = k.buddy.freePages;
    found = yield* sweepZones(k, order, node, gfp, "min");
  }
  return { found, progressPages };
}

/**
 * Whether another round could help: if everything reclaimable were free, some zone would pass its min
 * watermark.
 */
function mayRetry(k: Kernel, node: NodeId, gfp: number, fruitlessRounds: number): boolean {
  if (fruitlessRounds > FRUITLESS_ROUNDS_MAX) return false;
  return k.buddy.nodes[node]!.zonelist.some((zone) => {
    if (zone.node !== node && (gfp & GFP.THISNODE) !== 0) return false;
    const free = zone.freePages + reclaimablePages(k, zone.node);
    return free > zone.minPages + zone.boostPages + zone.lowmemReservePages[ZONE.NORMAL]!;
  });
}

/** Tries harder, as far as `gfp` allows. */
export function* slowPath(k: Kernel, order: number, node: NodeId, gfp: number): Path<Pfn> {
  enter(k, "__alloc_pages_slowpath");
  const noRetry = (gfp & GFP.NORETRY) !== 0;
  const costly = isCostly(k.buddy, order);
  if ((gfp & GFP.KSWAPD) !== 0) wakeAllKswapds(k, order, node, gfp);
  const pfn = yield* sweepZones(k, order, node, gfp, "min");
  if (pfn !== NO_FRAME || (gfp & GFP.DIRECT_RECLAIM) === 0) return pfn;
  if (costly) {
    const first = yield* directCompact(k, order, node, gfp, true);
    if (first.found !== NO_FRAME) return first.found;
    const skipped = first.result === COMPACT.SKIPPED && k.behaviours.noRetryAfter === "skipped-or-deferred";
    const hopeless = skipped || first.result === COMPACT.DEFERRED;
    if (noRetry && hopeless) return NO_FRAME;
  }
  for (let fruitlessRounds = 0; ; ) {
    const again = yield* sweepZones(k, order, node, gfp, "min");
    if (again !== NO_FRAME) return again;
    const { found, progressPages } = yield* reclaimAndTake(k, order, node, gfp);
    if (found !== NO_FRAME) return found;
    if (order > 0) {
      const compacted = yield* directCompact(k, order, node, gfp, noRetry);
      if (compacted.found !== NO_FRAME) return compacted.found;
    }
    if (noRetry || costly) return NO_FRAME;
    fruitlessRounds = progressPages > 0 ? 0 : fruitlessRounds + 1;
    if (!mayRetry(k, node, gfp, fruitlessRounds)) return NO_FRAME;
  }
}
