/**
 * kswapd: keeps a node's free memory above its high watermark, so that allocations seldom have to reclaim
 * themselves.
 *
 *     woken below low ─▶ reclaim, priority 12 to 1, until a zone is balanced ─▶ no boost ─▶ compact ─▶ sleep
 *
 * The driver starts a run when `buddy.onKswapdWake` tells it to; a run ends when nothing more is wanted.
 *
 * Models:       mm/vmscan.c balance_pgdat(), kswapd_shrink_node(), kswapd_try_to_sleep(), v6.1.
 * Not modelled: kcompactd as a task of its own (kswapd compacts before it sleeps), the 100 ms nap before the
 *               deep sleep.
 */
import { EVENT } from "../../core/events.ts";
import { type Path, PREEMPT } from "../../core/ops.ts";
import type { NodeId } from "../../core/units.ts";
import { compactNode, resetSkips } from "../buddy/compact.ts";
import { isHopeless, nodeBalanced } from "../buddy/kswapd-wake.ts";
import type { NodeMemory } from "../buddy/state.ts";
import { compactGapPages } from "../buddy/suitable.ts";
import { dropAllReservations } from "../reservation/pressure.ts";
import { emit, type Kernel } from "../state.ts";
import { shrinkNode } from "./direct.ts";
import { SCAN_CLUSTER_PAGES, SCAN_PRIORITY_FIRST, type Scan } from "./shrink.ts";

/** Works for a node as long as it is wanted. */
export function* kswapd(k: Kernel, node: NodeId): Path {
  const memory = k.buddy.nodes[node]!;
  const state = memory.kswapd;
  if (state.running) return;
  state.running = true;
  while (state.wanted || state.compactOrder > 0) {
    const { order, wanted } = state;
    state.wanted = false;
    state.order = 0;
    if (wanted && !isHopeless(memory)) yield* balanceNode(k, memory, order);
    for (const zone of memory.zones) if (zone.compact.skipsStale) resetSkips(k, zone);
    const compactOrder = Math.max(order, state.compactOrder);
    state.compactOrder = 0;
    if (compactOrder > 0) yield* compactNode(k, node, compactOrder);
    yield PREEMPT;
  }
  state.running = false;
}

/** Pages that a balancing round wants to free: the high watermarks together. */
function targetPages(memory: NodeMemory): number {
  return memory.zones.reduce(
    (sum, zone) => sum + Math.max(zone.highPages + zone.boostPages, SCAN_CLUSTER_PAGES),
    0,
  );
}

/** Reclaims until a zone of the node has its high watermark free for the order. */
function* balanceNode(k: Kernel, memory: NodeMemory, wakeOrder: number): Path {
  const startNs = k.nowNs;
  if (k.reservations.live > 0) yield* dropAllReservations(k);
  const boosts = memory.zones.map((zone) => zone.boostPages);
  let boostLeft = boosts.reduce((sum, pages) => sum + pages, 0);
  let order = wakeOrder;
  let freed = 0;
  let scanned = 0;
  for (const zone of memory.zones) zone.reclaiming += 1;
  for (let priority = SCAN_PRIORITY_FIRST; priority >= 1; ) {
    const balanced = nodeBalanced(k, memory, order);
    if (!balanced && boostLeft > 0) boostLeft = 0;
    else if (balanced && boostLeft === 0) break;
    const scan: Scan = {
      node: memory.id,
      byKswapd: true,
      targetPages: targetPages(memory),
      maySwap: boostLeft === 0,
      priority,
      scannedPages: 0,
      freedPages: 0,
    };
    yield* shrinkNode(k, scan, order);
    freed += scan.freedPages;
    scanned += scan.scannedPages;
    // Enough for compaction to work: what is left to do is order 0.
    if (order > 0 && freed >= compactGapPages(order)) order = 0;
    boostLeft = Math.max(boostLeft - scan.freedPages, 0);
    // A boost alone is not worth scanning hard for.
    if (boostLeft > 0 && priority === SCAN_PRIORITY_FIRST - 2) break;
    if (scan.scannedPages < scan.targetPages || scan.freedPages === 0) priority--;
  }
  memory.kswapd.failures = freed > 0 || nodeBalanced(k, memory, order) ? 0 : memory.kswapd.failures + 1;
  memory.zones.forEach((zone, i) => {
    zone.reclaiming -= 1;
    zone.boostPages = Math.max(zone.boostPages - boosts[i]!, 0);
  });
  emit(k, EVENT.reclaim, memory.id, scanned, freed, k.nowNs - startNs);
}
