import { expect, test } from "vitest";
import { SMALL } from "../../core/geometry.ts";
import { zoneFigures } from "./figures.ts";
import { testKernel } from "./test-kernel.ts";
import {
  baseMinFreeKb,
  pcpBatchPages,
  recommendedMinFreeKb,
  refreshWatermarks,
  totalReservePages,
  watermarkOk,
} from "./watermarks.ts";

const GIB_FRAMES = 2 ** 18;

/** `zone min low high` in pages, one zone a line. */
function picture(k: ReturnType<typeof testKernel>): string[] {
  return zoneFigures(k.buddy).map((z) => `${z.node} ${z.zone} ${z.minPages} ${z.lowPages} ${z.highPages}`);
}

test("a machine of one node and three zones keeps 67584 kB free once THP is on", () => {
  expect(testKernel({ frames: 23 * GIB_FRAMES }).buddy.minFreeKb).toBe(67_584);
});

test("256 GiB on two nodes are four zones and 90112 kB", () => {
  const k = testKernel({ frames: 256 * GIB_FRAMES, nodes: 2 });
  expect(k.buddy.zones.length).toBe(4);
  expect(k.buddy.minFreeKb).toBe(90_112);
  const normal = zoneFigures(k.buddy)[3]!;
  const mib = (pages: number) => pages / 256;
  expect(mib(normal.minPages)).toBeCloseTo(44, 0); // 90112 kB, times this zone's half of all memory
  expect(mib(normal.lowPages)).toBeGreaterThan(165);
  expect(mib(normal.lowPages)).toBeLessThan(175);
  expect(mib(normal.highPages)).toBeGreaterThan(290);
  expect(mib(normal.highPages)).toBeLessThan(305);
  expect((totalReservePages(k.buddy) * 4096) / 1e9).toBeCloseTo(1.15, 1); // about 1.09 GiB
});

test("the base value is four times the root of memory in kB, within 128 kB and 256 MiB", () => {
  expect(baseMinFreeKb(16 * 1024 * 1024)).toBe(16_384);
  expect(baseMinFreeKb(500)).toBe(128);
  expect(baseMinFreeKb(2 ** 40)).toBe(262_144);
});

test("khugepaged asks for eleven pageblocks a zone, but at most a twentieth of memory", () => {
  expect(recommendedMinFreeKb(3, 512, 6_000_000)).toBe(67_584);
  expect(recommendedMinFreeKb(2, 512, 65_536)).toBe(13_104);
});

test("without THP the base value holds; low and high are a quarter of min or 0.1 % apart", () => {
  const k = testKernel({ frames: GIB_FRAMES, tunables: { enabled: "never" } });
  const managed = k.buddy.zones[0]!.managedPages + k.buddy.zones[1]!.managedPages;
  // It is reckoned from what lies above khugepaged's high marks, which stood until THP was switched off: one
  // and a half times a twentieth of memory.
  const { minFreeKb: minFree } = k.buddy;
  expect(minFree).toBeGreaterThan(baseMinFreeKb(managed * 4 * 0.92));
  expect(minFree).toBeLessThan(baseMinFreeKb(managed * 4 * 0.94));
  const min = Math.floor((Math.floor(minFree / 4) * k.buddy.zones[1]!.managedPages) / managed);
  const step = Math.max(Math.floor(min / 4), Math.floor(k.buddy.zones[1]!.managedPages / 1000));
  expect(picture(k)[1]).toBe(`0 DMA32 ${min} ${min + step} ${min + 2 * step}`);
});

test("a value written to vm.min_free_kbytes is taken at the next refresh", () => {
  const k = testKernel({ frames: GIB_FRAMES });
  k.tunables.minFreeKb = 8192;
  refreshWatermarks(k.buddy, k.tunables);
  expect(k.buddy.zones[0]!.minPages + k.buddy.zones[1]!.minPages).toBeGreaterThanOrEqual(2047);
  expect(k.buddy.zones[0]!.minPages + k.buddy.zones[1]!.minPages).toBeLessThanOrEqual(2048);
});

test("DMA and DMA32 keep one 256th of the zones above them from ordinary requests", () => {
  const k = testKernel({ frames: 8 * GIB_FRAMES });
  const [dma, dma32, normal] = k.buddy.zones;
  expect(dma!.lowmemReservePages[2]).toBe(Math.floor((dma32!.managedPages + normal!.managedPages) / 256));
  expect(dma32!.lowmemReservePages[2]).toBe(Math.floor(normal!.managedPages / 256));
  expect(normal!.lowmemReservePages[2]).toBe(0);
});

test("zones follow addresses: a small second node has DMA32 memory, a machine below 4 GiB no Normal", () => {
  const zones = (frames: number, nodes: number) =>
    testKernel({ frames, nodes }).buddy.zones.map((z) => `${z.node}:${["DMA", "DMA32", "Normal"][z.kind]}`);
  expect(zones(2048, 1)).toEqual(["0:DMA"]);
  expect(zones(GIB_FRAMES, 1)).toEqual(["0:DMA", "0:DMA32"]);
  expect(zones(2 * GIB_FRAMES, 2)).toEqual(["0:DMA", "0:DMA32", "1:DMA32"]);
  expect(zones(16 * GIB_FRAMES, 2)).toEqual(["0:DMA", "0:DMA32", "0:Normal", "1:Normal"]);
});

test("an order-9 request wants a free block of order 9 as well as free pages", () => {
  const k = testKernel({ frames: GIB_FRAMES, fragmentedRatio: 1 });
  const dma32 = k.buddy.zones[1]!;
  expect(watermarkOk(k.buddy, dma32, 0, dma32.lowPages)).toBe(true);
  expect(watermarkOk(k.buddy, dma32, 9, dma32.lowPages)).toBe(false);
});

test("a per-CPU batch is 63 pages from 1 GiB on", () => {
  expect(pcpBatchPages(GIB_FRAMES)).toBe(63);
  expect(pcpBatchPages(100 * GIB_FRAMES)).toBe(63);
  expect(pcpBatchPages(4096)).toBe(1);
});

test("test geometries have one Normal zone a node and no watermark", () => {
  const k = testKernel({ frames: 32, geometry: SMALL, nodes: 2 });
  expect(picture(k)).toEqual(["0 Normal 0 0 0", "1 Normal 0 0 0"]);
});
