/**
 * Asking kswapd to work: leaves a note at the node and tells the driver.
 *
 * Models:       mm/vmscan.c wakeup_kswapd(), pgdat_balanced(), v6.1.
 * Not modelled: kcompactd (a waker that may not reclaim only asks kswapd), cpusets.
 */
import type { Kernel } from "../state.ts";
import type { NodeMemory, Zone } from "./state.ts";
import { watermarkOk } from "./watermarks.ts";

/** Runs without progress after which kswapd gives a node up (MAX_RECLAIM_RETRIES). */
export const KSWAPD_FAILURES_MAX = 16;

/** True if a zone of the node has enough free memory for that order above its high watermark. */
export function nodeBalanced(k: Kernel, node: NodeMemory, order: number): boolean {
  return node.zones.some(
    (zone) => zone.managedPages > 0 && watermarkOk(k.buddy, zone, order, zone.highPages + zone.boostPages),
  );
}

/** Wakes kswapd of a zone's node, if there is anything for it to do. */
export function wakeKswapd(k: Kernel, zone: Zone, order: number): void {
  const node = k.buddy.nodes[zone.node]!;
  const boosted = node.zones.some((own) => own.boostPages > 0);
  if (node.kswapd.failures >= KSWAPD_FAILURES_MAX) return;
  if (!boosted && nodeBalanced(k, node, order)) return;
  if (node.kswapd.order < order) node.kswapd.order = order;
  if (node.kswapd.wanted) return;
  node.kswapd.wanted = true;
  if (!node.kswapd.running) k.buddy.onKswapdWake?.(node.id);
}
