/**
 * Asking kswapd to work: leaves a note at the node and tells the driver.
 *
 * Models:       mm/vmscan.c wakeup_kswapd(), pgdat_balanced(); mm/compaction.c wakeup_kcompactd(), v6.1.
 * Not modelled: kcompactd as a task of its own (kswapd compacts before it sleeps), cpusets.
 */
import type { NodeId } from "../../core/units.ts";
import type { Kernel } from "../state.ts";
import type { NodeMemory, Zone } from "./state.ts";
import { watermarkOk } from "./watermarks.ts";

/** Runs without progress after which kswapd gives a node up (MAX_RECLAIM_RETRIES). */
const KSWAPD_FAILURES_MAX = 16;

/** kswapd has given the node up; a page freed by anybody's reclaim lets it try again. */
export function isHopeless(node: NodeMemory): boolean {
  return node.kswapd.failures >= KSWAPD_FAILURES_MAX;
}

/** True if a zone of the node has enough free memory for that order above its high watermark. */
export function nodeBalanced(k: Kernel, node: NodeMemory, order: number): boolean {
  return node.zones.some(
    (zone) => zone.managedPages > 0 && watermarkOk(k.buddy, zone, order, zone.highPages + zone.boostPages),
  );
}

/**
 * Wakes kswapd of a zone's node, if there is anything for it to do. Of a node that was given up, only a waker
 * who will not reclaim itself gets something done: compaction.
 */
export function wakeKswapd(k: Kernel, zone: Zone, order: number, reclaimsItself: boolean): void {
  const node = k.buddy.nodes[zone.node]!;
  const boosted = node.zones.some((own) => own.boostPages > 0);
  if (isHopeless(node) && (reclaimsItself || order === 0)) return;
  if (!boosted && nodeBalanced(k, node, order)) return;
  if (node.kswapd.order < order) node.kswapd.order = order;
  if (node.kswapd.wanted) return;
  node.kswapd.wanted = true;
  if (!node.kswapd.running) k.buddy.onKswapdWake?.(node.id);
}

/** Asks kcompactd of a node for a free block of that order, without any reclaim. */
export function wakeKcompactd(k: Kernel, node: NodeId, order: number): void {
  const { kswapd } = k.buddy.nodes[node]!;
  const asked = kswapd.wanted || kswapd.compactOrder > 0;
  kswapd.compactOrder = Math.max(kswapd.compactOrder, order);
  if (!asked && !kswapd.running) k.buddy.onKswapdWake?.(node);
}
