/**
 * Watermarks: how much of a zone an allocation must leave free.
 *
 *     0 ─── min ────────── low ────────── high ─────────▶ free pages
 *       urgent   direct reclaim   kswapd works    kswapd sleeps
 *
 * Models:       mm/page_alloc.c __setup_per_zone_wmarks(), calculate_min_free_kbytes(),
 *               setup_per_zone_lowmem_reserve(), zone_watermark_ok(), zone_batchsize(); mm/khugepaged.c
 *               set_recommended_min_free_kbytes(), v6.1.
 * Not modelled: a value written to vm.min_free_kbytes is kept as it is, also when THP is switched on later; a
 *               kernel that boots with THP off (a switch later has other marks to reckon from); machines with
 *               huge pages below 2 MiB (tests) have watermarks of 0 unless a value is written.
 */
import type { Tunables } from "../tunables.ts";
import { FREED_LATE_PAGES } from "./boot-share.ts";
import { type Buddy, MIGRATE_TYPES, NONE, PCP_TYPES, ZONE, type Zone } from "./state.ts";

/** vm.lowmem_reserve_ratio of DMA and DMA32. */
const LOWMEM_RESERVE_RATIO = 256;

/** Integer square root, as the kernel's int_sqrt. */
export function intSqrt(value: number): number {
  let root = Math.floor(Math.sqrt(value));
  while (root * root > value) root--;
  while ((root + 1) * (root + 1) <= value) root++;
  return root;
}

/** vm.min_free_kbytes from memory alone: 4 × sqrt(lowmem kB), within 128 kB and 256 MiB. */
export function baseMinFreeKb(lowmemKb: number, maxKb = 262_144): number {
  return Math.min(Math.max(intSqrt(lowmemKb * 16), 128), maxKb);
}

/** What khugepaged wants free when THP is on: 2 + 9 pageblocks a zone, at most a twentieth of memory. */
export function recommendedMinFreeKb(zones: number, pagesPerHuge: number, lowmemPages: number): number {
  return Math.min(pagesPerHuge * zones * (2 + PCP_TYPES * PCP_TYPES), Math.floor(lowmemPages / 20)) * 4;
}

/** What lies above the high watermarks that stand: nr_free_buffer_pages(). */
function bufferPages(b: Buddy): number {
  return b.zones.reduce((sum, zone) => sum + Math.max(zone.managedPages - zone.highPages, 0), 0);
}

/**
 * Each value is reckoned from what lies above the marks of the one before: first the base value, from all
 * memory; then khugepaged's, while the image's init sections are not free yet; then, if THP is switched off,
 * the base value again, from what lies above khugepaged's marks.
 */
function computeMinFreeKb(b: Buddy, tunables: Tunables): number {
  if (tunables.minFreeKb >= 0) return tunables.minFreeKb;
  if (b.geometry.hugeOrder !== 9) return 0;
  for (const zone of b.zones) zone.highPages = 0;
  const bootKb = baseMinFreeKb(bufferPages(b) * 4, b.minFreeKbMax);
  setWatermarks(b, bootKb, tunables.watermarkScaleFactor);
  const bootPages = Math.max(bufferPages(b) - FREED_LATE_PAGES, 0);
  const raisedKb = recommendedMinFreeKb(b.zones.length, b.geometry.pagesPerHuge, bootPages);
  const thpKb = Math.max(bootKb, raisedKb);
  if (tunables.enabled !== "never") return thpKb;
  setWatermarks(b, thpKb, tunables.watermarkScaleFactor);
  return baseMinFreeKb(bufferPages(b) * 4, b.minFreeKbMax);
}

function setWatermarks(b: Buddy, minFreeKb: number, scaleFactor: number): void {
  const pagesMin = Math.floor(minFreeKb / 4);
  const managed = b.zones.reduce((sum, zone) => sum + zone.managedPages, 0);
  for (const zone of b.zones) {
    zone.minPages = Math.floor((pagesMin * zone.managedPages) / managed);
    const step = Math.max(
      Math.floor(zone.minPages / 4),
      Math.floor((zone.managedPages * scaleFactor) / 10_000),
    );
    zone.lowPages = zone.minPages + step;
    zone.highPages = zone.minPages + 2 * step;
    zone.boostPages = 0;
  }
}

/** A lower zone keeps a share of the zones above it from requests that could use those. */
function setLowmemReserves(b: Buddy): void {
  for (const node of b.nodes) {
    for (const zone of node.zones) {
      let upperPages = 0;
      for (let kind = zone.kind + 1; kind <= ZONE.NORMAL; kind++) {
        upperPages += node.zones.find((other) => other.kind === kind)?.managedPages ?? 0;
        zone.lowmemReservePages[kind] = Math.floor(upperPages / LOWMEM_RESERVE_RATIO);
      }
    }
  }
}

/** Pages that a refill moves: 63 on any zone of 1 GiB or more. */
export function pcpBatchPages(managedPages: number): number {
  const quarter = Math.max(1, Math.floor(Math.min(managedPages >> 10, 256) / 4));
  return Math.max(1, 2 ** Math.floor(Math.log2(quarter + (quarter >> 1))) - 1);
}

function setPcpLimits(b: Buddy, cpusOfNode: readonly number[]): void {
  for (const zone of b.zones) {
    const batchPages = pcpBatchPages(zone.managedPages);
    const cpus = cpusOfNode[zone.node]! || zone.pcps.length;
    const highPages = b.pcpHuge
      ? Math.max(Math.floor(zone.lowPages / cpus), batchPages << 2)
      : 6 * batchPages;
    for (const pcp of zone.pcps) {
      pcp.batchPages = batchPages;
      pcp.highPages = highPages;
    }
  }
}

/** Computes watermarks, reserves and per-CPU limits anew: at the start, and after a knob changed. */
export function refreshWatermarks(b: Buddy, tunables: Tunables): void {
  b.minFreeKb = computeMinFreeKb(b, tunables);
  setWatermarks(b, b.minFreeKb, tunables.watermarkScaleFactor);
  setLowmemReserves(b);
  setPcpLimits(b, b.cpusOfNode);
}

/** Whether a zone would keep `markPages` free, and has a block, if it gave one of that order. */
export function watermarkOk(b: Buddy, zone: Zone, order: number, markPages: number): boolean {
  const usable = zone.freePages - zone.highatomicPages - ((1 << order) - 1);
  if (usable <= markPages + zone.lowmemReservePages[ZONE.NORMAL]!) return false;
  return order === 0 || hasBlock(b, zone, order);
}

/** True if an ordinary list holds a block of that order or above. */
export function hasBlock(b: Buddy, zone: Zone, order: number): boolean {
  for (let found = order; found <= b.geometry.maxOrder; found++) {
    if (zone.counts[found] === 0) continue;
    for (let type = 0; type < PCP_TYPES; type++) {
      if (zone.heads[found * MIGRATE_TYPES + type] !== NONE) return true;
    }
  }
  return false;
}

/**
 * Pages that overcommit accounting and dirty limits keep back: high watermark and largest reserve of every
 * zone.
 */
export function totalReservePages(b: Buddy): number {
  let pages = 0;
  for (const zone of b.zones) {
    const reserve = Math.max(...zone.lowmemReservePages);
    pages += Math.min(zone.managedPages, zone.highPages + reserve);
  }
  return pages;
}
