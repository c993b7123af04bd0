/**
 * The allocator's slow path: memory is below the low watermark, or too scattered for the order.
 *
 * Models:       mm/page_alloc.c __alloc_pages_slowpath(), v6.1.
 * Not modelled: compaction and reclaim (being written): after the wake-up, zones are tried at min, and that is all.
 */
import type { Path } from "../../core/ops.ts";
import { NO_FRAME, type NodeId, type Pfn } from "../../core/units.ts";
import type { Kernel } from "../state.ts";
import { GFP } from "./gfp.ts";
import { wakeKswapd } from "./kswapd-wake.ts";
import { drainAllPcps } from "./pcp.ts";
import { sweepZones } from "./zonelist.ts";

/** Wakes kswapd of every node that the request may use. */
function wakeAllKswapds(k: Kernel, order: number, node: NodeId, gfp: number): void {
  let last = -1;
  for (const zone of k.buddy.nodes[node]!.zonelist) {
    if (zone.node === last) continue;
    if (zone.node !== node && (gfp & GFP.THISNODE) !== 0) return;
    last = zone.node;
    wakeKswapd(k, zone, order);
  }
}

/** Tries harder, as far as `gfp` allows. */
export function* slowPath(k: Kernel, order: number, node: NodeId, gfp: number): Path<Pfn> {
  if ((gfp & GFP.KSWAPD) !== 0) wakeAllKswapds(k, order, node, gfp);
  const pfn = yield* sweepZones(k, order, node, gfp, "min");
  if (pfn !== NO_FRAME || (gfp & GFP.DIRECT_RECLAIM) === 0) return pfn;
  drainAllPcps(k.buddy);
  return yield* sweepZones(k, order, node, gfp, "min");
}
