/**
 * Allocating pages: the current CPU's list, then the zones at their low watermark, then the slow path.
 *
 *     per-CPU list ─▶ zones of the node, then nearer to farther nodes, at low ─▶ wake kswapd ─▶ zones at min
 *                     (first sweep: no mixing of types below pageblock size)          │
 *                                                  compact ─▶ reclaim ─▶ compact ◀────┘
 *
 * Models:       mm/page_alloc.c __alloc_pages(), v6.1.
 * Not modelled: bulk allocation, memcg limits.
 */
import type { Path } from "../../core/ops.ts";
import { NO_FRAME, type NodeId, type Pfn } from "../../core/units.ts";
import type { Kernel } from "../state.ts";
import { mightSleep } from "../witness.ts";
import { GFP, migrateTypeOf } from "./gfp.ts";
import { popPcp } from "./pcp.ts";
import { slowPath } from "./slow.ts";
import { NONE } from "./state.ts";
import { watermarkOk } from "./watermarks.ts";
import { handOut, sweepZones } from "./zonelist.ts";

/**
 * From the current CPU's list of the node's zones; NO_FRAME when the zone lock is needed or memory is short.
 */
export function allocFast(k: Kernel, order: number, node: NodeId, gfp: number): Pfn {
  const b = k.buddy;
  for (const zone of b.nodes[node]!.zonelist) {
    if (zone.node !== node) return NO_FRAME;
    if (!watermarkOk(b, zone, order, zone.lowPages + zone.boostPages)) continue;
    const pfn = popPcp(b, zone, k.cpu, order, migrateTypeOf(gfp));
    return pfn === NONE ? NO_FRAME : handOut(k, zone, pfn, order);
  }
  return NO_FRAME;
}

/**
 * Allocates 2^order frames, with as much effort as `gfp` allows; NO_FRAME on failure. The first frame comes
 * with one reference; flags, map counts and the other frames' references are 0. A caller that wants a huge
 * page makes it one.
 */
export function* allocPages(k: Kernel, order: number, node: NodeId, gfp: number): Path<Pfn> {
  if ((gfp & GFP.DIRECT_RECLAIM) !== 0) mightSleep(k, "an allocation that may reclaim");
  const pfn = yield* sweepZones(k, order, node, gfp, "low");
  return pfn === NO_FRAME ? yield* slowPath(k, order, node, gfp) : pfn;
}
