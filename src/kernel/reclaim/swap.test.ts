import { expect, test } from "vitest";
import { SMALL } from "../../core/geometry.ts";
import { testKernel } from "../buddy/test-kernel.ts";
import type { Kernel } from "../state.ts";
import { freeSwapSlot, takeSwapCluster, takeSwapSlot } from "./swap.ts";

const CLUSTER = SMALL.pagesPerHuge;

/** A device of 13 slots behind its head: three clusters of four pages and a half. */
const device = (): Kernel => testKernel({ frames: 32, geometry: SMALL, swapPages: 13 });

/** Pages of the device by cluster: h its head, x in use. */
function picture({ swap }: Kernel): string {
  const pages = "h" + [...swap.useCount].map((count) => (count === 0 ? "." : "x")).join("");
  return pages.replace(/.{4}(?=.)/g, "$& ");
}

test("base pages begin a free cluster and fill it, huge pages take one whole", () => {
  const k = device();
  takeSwapSlot(k);
  expect(picture(k)).toBe("h... x... .... ..");
  expect(takeSwapCluster(k, CLUSTER)).toBe(7);
  takeSwapSlot(k);
  expect(picture(k)).toBe("h... xx.. xxxx ..");
});

test("neither the cluster with the head nor a part of one at the end takes a huge page", () => {
  const k = device();
  expect([1, 2, 3].map(() => takeSwapCluster(k, CLUSTER))).toEqual([3, 7, -1]);
  expect([picture(k), k.swap.free]).toEqual(["h... xxxx xxxx ..", 5]);
});

test("without a free cluster base pages go wherever a slot is free, until none is", () => {
  const k = device();
  for (let i = 0; i < 13; i++) expect(takeSwapSlot(k)).toBeGreaterThanOrEqual(0);
  expect([picture(k), takeSwapSlot(k)]).toEqual(["hxxx xxxx xxxx xx", -1]);
});

test("a cluster is free again when the last of its slots is", () => {
  const k = device();
  const first = takeSwapCluster(k, CLUSTER);
  takeSwapCluster(k, CLUSTER);
  for (let slot = first; slot < first + CLUSTER; slot++) {
    expect(takeSwapCluster(k, CLUSTER)).toBe(-1);
    freeSwapSlot(k, slot);
  }
  expect(takeSwapCluster(k, CLUSTER)).toBe(first);
});
