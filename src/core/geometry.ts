/**
 * Geometry is a value: life has 512 pages to a huge page, tests have 4, so that a machine fits a line of
 * text.
 */
import { assert } from "../lib/assert.ts";
import { PAGE_BYTES, type Vpn } from "./units.ts";

export interface Geometry {
  /** log2 of the pages in a huge page (9 in life, 2 in tests). Also the pageblock order. */
  readonly hugeOrder: number;
  /** Base pages in a huge page. */
  readonly pagesPerHuge: number;
  /** Bytes in a huge page. */
  readonly hugeBytes: number;
  /** Largest order of the buddy allocator, inclusive (10 in life; hugeOrder + 1). */
  readonly maxOrder: number;
}

/** x86-64 as it is: 2 MiB huge pages, buddy orders 0–10. */
export const LIFE: Geometry = geometryOf(9);
/** 16 KiB huge pages, buddy orders 0–3: for tests and exploration. */
export const SMALL: Geometry = geometryOf(2);

/** The geometry whose huge pages have 2^hugeOrder base pages. */
export function geometryOf(hugeOrder: number): Geometry {
  assert(hugeOrder >= 1 && hugeOrder <= 9, "a huge page has between 2 and 512 base pages");
  const pagesPerHuge = 2 ** hugeOrder;
  return { hugeOrder, pagesPerHuge, hugeBytes: pagesPerHuge * PAGE_BYTES, maxOrder: hugeOrder + 1 };
}

/** The number of the huge-page-sized region that a page lies in. The only division of page numbers. */
export function regionOf(g: Geometry, vpn: Vpn): number {
  return Math.floor(vpn / g.pagesPerHuge);
}

/** The first page of the region that a page lies in. */
export function regionStart(g: Geometry, vpn: Vpn): Vpn {
  return (vpn - (vpn % g.pagesPerHuge)) as Vpn;
}
