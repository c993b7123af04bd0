import { expect, test } from "vitest";
import { SMALL } from "../../core/geometry.ts";
import { asPfn } from "../../core/units.ts";
import { testKernel } from "../buddy/test-kernel.ts";
import type { Kernel } from "../state.ts";
import { takeSwapCluster, takeSwapSlot, uncacheSlot } from "./swap.ts";

const CLUSTER = SMALL.pagesPerHuge;
/** Any page, which goes to swap again and again. */
const PAGE = asPfn(0);

/** A device of 13 slots behind its head: three clusters of four pages and a half. */
const device = (): Kernel => testKernel({ frames: 32, geometry: SMALL, swapPages: 13 });

/** Pages of the device by cluster: h its head, x in use. */
function picture({ swap }: Kernel): string {
  const pages = "h" + [...swap.cachedPage].map((pfn) => (pfn < 0 ? "." : "x")).join("");
  return pages.replace(/.{4}(?=.)/g, "$& ");
}

test("base pages begin a free cluster and fill it, huge pages take one whole", () => {
  const k = device();
  takeSwapSlot(k, PAGE);
  expect(picture(k)).toBe("h... x... .... ..");
  expect(takeSwapCluster(k, PAGE)).toBe(7);
  takeSwapSlot(k, PAGE);
  expect(picture(k)).toBe("h... xx.. xxxx ..");
});

test("neither the cluster with the head nor a part of one at the end takes a huge page", () => {
  const k = device();
  expect([1, 2, 3].map(() => takeSwapCluster(k, PAGE))).toEqual([3, 7, -1]);
  expect([picture(k), k.swap.free]).toEqual(["h... xxxx xxxx ..", 5]);
});

test("without a free cluster base pages go wherever a slot is free, until none is", () => {
  const k = device();
  for (let i = 0; i < 13; i++) expect(takeSwapSlot(k, PAGE)).toBeGreaterThanOrEqual(0);
  expect([picture(k), takeSwapSlot(k, PAGE)]).toEqual(["hxxx xxxx xxxx xx", -1]);
});

test("a cluster is free again when the last of its slots is", () => {
  const k = device();
  const first = takeSwapCluster(k, PAGE);
  takeSwapCluster(k, PAGE);
  for (let slot = first; slot < first + CLUSTER; slot++) {
    expect(takeSwapCluster(k, PAGE)).toBe(-1);
    uncacheSlot(k, slot);
  }
  expect(takeSwapCluster(k, PAGE)).toBe(first);
});
