/**
 * Taking a page off its LRU list for a move, under the lock of its node's lists.
 *
 * Models:       mm/vmscan.c isolate_lru_page(), v3.8.
 * Not modelled: locks by zone: the model has one LRU for each node.
 */
import type { Path } from "../../../core/ops.ts";
import type { Pfn } from "../../../core/units.ts";
import { nodeOfFrame } from "../../buddy/state.ts";
import { lruIsolate } from "../../reclaim/lru.ts";
import type { Kernel } from "../../state.ts";

/** False if the page is on no list. The caller holds a reference. */
export function* isolatePage(k: Kernel, head: Pfn): Path<boolean> {
  const { lock } = k.lru.nodes[nodeOfFrame(k.buddy, head)]!;
  yield lock.acquire;
  const isolated = lruIsolate(k, head);
  yield lock.release;
  return isolated;
}
