/**
 * Reclaiming chosen pages at a program's request (MADV_PAGEOUT).
 *
 * Models:       mm/vmscan.c reclaim_pages(), v6.1.
 * Not modelled: several nodes' lists apart.
 */
import type { Op, Path } from "../../core/ops.ts";
import type { Pfn } from "../../core/units.ts";
import type { Kernel } from "../state.ts";
import { lruIsolate } from "./lru.ts";
import { reclaimList } from "./reclaim-list.ts";

/**
 * Reclaims pages (heads) regardless of how lately they were used; those not on an LRU list stay. Returns
 * pages freed.
 */
export function* reclaimPages(k: Kernel, pages: readonly Pfn[]): Path<number> {
  const ops: Op[] = [];
  const freed = reclaimList(
    k,
    pages.filter((pfn) => lruIsolate(k, pfn)),
    true,
    ops,
  );
  for (const op of ops) yield op;
  return freed;
}
