/**
 * MADV_PAGEOUT's last step: reclaim the chosen pages.
 *
 * Models:       mm/vmscan.c reclaim_pages(), v6.1.
 * Not modelled: swap-out.
 */
import type { Path } from "../../core/ops.ts";
import type { Pfn } from "../../core/units.ts";
import type { Kernel } from "../state.ts";
import { lruDeactivate } from "./lru.ts";

// biome-ignore lint/correctness/useYield: nothing to wait for yet
export function* reclaimPages(k: Kernel, pages: readonly Pfn[]): Path {
  for (const pfn of pages) lruDeactivate(k, pfn);
}
