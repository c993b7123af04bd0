/**
 * Reclaiming chosen pages at a program's request (MADV_PAGEOUT).
 *
 * Models:       mm/vmscan.c reclaim_pages(), v6.1.
 * Not modelled: several nodes' lists apart.
 */
import type { Op, Path } from "../../core/ops.ts";
import type { Pfn } from "../../core/units.ts";
import type { Kernel } from "../state.ts";
import { reclaimList } from "./reclaim-list.ts";

/**
 * Reclaims pages (heads) that the caller has isolated, regardless of how lately they were used. Returns pages
 * freed.
 */
export function* reclaimIsolated(k: Kernel, pages: readonly Pfn[]): Path<number> {
  const ops: Op[] = [];
  const freed = reclaimList(k, [...pages], true, ops);
  for (const op of ops) yield op;
  return freed;
}
