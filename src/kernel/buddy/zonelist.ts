/**
 * The zones that may serve a request, one after the other: their per-CPU lists, then a refill under the zone
 * lock.
 *
 *     zone ok at its watermark? ─▶ this CPU's list ─▶ refill (own type, other types) ─▶ hand out
 *        └─ no: next zone of the node ─▶ next nearer node
 *
 * Models:       mm/page_alloc.c get_page_from_freelist(), rmqueue(), prep_new_page(),
 *               alloc_flags_nofragment(), v6.1.
 * Not modelled: memory policies and cpusets (the caller names the node), zone_reclaim_mode, dirty balancing,
 *               memory reserves for the dying, highatomic reserves.
 */
import { C } from "../../core/counters.ts";
import type { Path } from "../../core/ops.ts";
import { NO_FRAME, type NodeId, type Pfn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import { type Kernel, spend } from "../state.ts";
import { GFP, migrateTypeOf } from "./gfp.ts";
import { wakeKswapd } from "./kswapd-wake.ts";
import { popPcp, takeFromZone } from "./pcp.ts";
import { NONE, ZONE, type Zone } from "./state.ts";
import { watermarkOk } from "./watermarks.ts";

const PGALLOC = [C.pgalloc_dma, C.pgalloc_dma32, C.pgalloc_normal];

/** A block leaves the allocator: one reference, no flags. */
export function handOut(k: Kernel, zone: Zone, pfn: number, order: number): Pfn {
  const { frames, geometry } = k;
  // Nobody looks before the write at a huge block's row, which no one may have used: the host would first
  // bring its page of zeros and then, in a second fault, a page of one's own. freePages() has looked.
  if (order < geometry.hugeOrder) assert(frames.refCount[pfn] === 0, "a free frame has no reference");
  frames.refCount[pfn] = 1;
  k.vmstat[PGALLOC[zone.kind]!]! += 1 << order;
  k.vmstat[C.nr_free_pages] = k.buddy.freePages;
  // Whoever makes a huge page of a block charges allocHugeNs, which is mostly the writing of its page
  // descriptors.
  if (order < geometry.hugeOrder) spend(k, k.costs.allocPageNs);
  return pfn as Pfn;
}

/**
 * Whether the first sweep keeps types apart: the preferred zone is Normal, and a lower zone could help out
 * instead.
 */
function avoidsFragmentation(k: Kernel, node: NodeId): boolean {
  if (!k.buddy.avoidsFragmentation) return false;
  const zones = k.buddy.nodes[node]!.zones;
  const preferred = zones[zones.length - 1];
  if (preferred === undefined || preferred.kind !== ZONE.NORMAL) return false;
  return k.buddy.nodes.length === 1 || zones.some((zone) => zone.kind === ZONE.DMA32);
}

/** One zone: the CPU's list again, or a refill under the zone lock. */
function* takeInZone(k: Kernel, zone: Zone, order: number, gfp: number, noFragment: boolean): Path<Pfn> {
  const b = k.buddy;
  const type = migrateTypeOf(gfp);
  let pfn = popPcp(b, zone, k.cpu, order, type);
  if (pfn === NONE) {
    yield zone.lock.acquire;
    pfn = takeFromZone(b, zone, k.cpu, order, type, noFragment);
    yield zone.lock.release;
  }
  if (pfn === NONE) return NO_FRAME;
  if (zone.boosted && (gfp & GFP.KSWAPD) !== 0) {
    zone.boosted = false;
    wakeKswapd(k, zone, 0, true);
  }
  return handOut(k, zone, pfn, order);
}

/** Sweeps the zonelist once at a watermark (get_page_from_freelist). */
export function* sweepZones(
  k: Kernel,
  order: number,
  node: NodeId,
  gfp: number,
  mark: "low" | "min" | "high",
): Path<Pfn> {
  const zonelist = k.buddy.nodes[node]!.zonelist;
  let noFragment = avoidsFragmentation(k, node);
  for (let i = 0; ; i++) {
    const zone = zonelist[i];
    const remote = zone !== undefined && zone.node !== node;
    const done = zone === undefined || (remote && (gfp & GFP.THISNODE) !== 0);
    // Memory of one's own node in a mixed block is better than a remote page.
    if (noFragment && (done || remote)) {
      noFragment = false;
      i = -1;
      continue;
    }
    if (done) return NO_FRAME;
    if (!watermarkOk(k.buddy, zone, order, markPages(zone, mark, gfp))) continue;
    const pfn = yield* takeInZone(k, zone, order, gfp, noFragment);
    if (pfn !== NO_FRAME) return pfn;
  }
}

function markPages(zone: Zone, mark: "low" | "min" | "high", gfp: number): number {
  let pages = mark === "low" ? zone.lowPages : mark === "high" ? zone.highPages : zone.minPages;
  pages += zone.boostPages;
  if (mark === "min" && (gfp & GFP.HIGH) !== 0) pages -= pages >> 1;
  return pages;
}
