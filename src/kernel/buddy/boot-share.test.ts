/**
 * The kernel's own share, against /proc/zoneinfo of Debian's 6.1 in virtual PCs (KASLR off), read by their
 * first process after it had written `never` to transparent_hugepage/enabled. Free pages include those in
 * per-CPU lists.
 */
import { describe, expect, test } from "vitest";
import { SMALL } from "../../core/geometry.ts";
import { zoneFigures } from "./figures.ts";
import { testKernel } from "./test-kernel.ts";

const GIB_FRAMES = 2 ** 18;

interface Guest {
  readonly nodes: number;
  readonly cpus: number;
  readonly gib: number;
  /** A line a zone: node, zone, managed, min, high, free pages. */
  readonly zones: string;
}

const GUESTS: readonly Guest[] = [
  {
    ...{ nodes: 1, cpus: 4, gib: 4 },
    zones: `0 DMA       3840     7   13    3712
            0 DMA32   757817  1491 3005  757689
            0 Normal  243729   479  965  237284`,
  },
  {
    ...{ nodes: 2, cpus: 2, gib: 1 },
    zones: `0 DMA       3840    14   20    3808
            0 DMA32   116717   449  681  112239
            1 DMA32   128878   496  752  125952`,
  },
  {
    ...{ nodes: 2, cpus: 2, gib: 2 },
    zones: `0 DMA       3840    10   16    3776
            0 DMA32   245741   672 1162  241799
            1 DMA32   257902   705 1219  253863`,
  },
  {
    ...{ nodes: 2, cpus: 2, gib: 8 },
    zones: `0 DMA       3840     5   11    3584
            0 DMA32   757817  1052 2566  757561
            0 Normal  245652   341  831  240332
            1 Normal 1031883  1433 3495 1025904`,
  },
  {
    ...{ nodes: 2, cpus: 8, gib: 3 },
    zones: `0 DMA       3840     8   14    3712
            0 DMA32   374582   842 1590  368331
            1 DMA32   386742   869 1641  383579`,
  },
  {
    ...{ nodes: 4, cpus: 4, gib: 4 },
    zones: `0 DMA       3840     7   13    3712
            0 DMA32   245741   479  969  241234
            1 DMA32   257943   503 1017  256302
            2 DMA32   241527   471  953  238468
            3 Normal  257739   502 1016  256284`,
  },
];

/** Where boot's threads run is chance, and with it on which node some 2,500 pages are. */
const CHANCE_PAGES = 2500;

describe.each(GUESTS)("$nodes nodes, $cpus CPUs, $gib GiB", ({ nodes, cpus, gib, zones }) => {
  const kernel = zones.split("\n").map((line) => line.trim().split(/\s+/));
  const k = testKernel({ frames: gib * GIB_FRAMES, nodes, cpus, tunables: { enabled: "never" } });
  const model = zoneFigures(k.buddy);

  test("the zones are the kernel's", () => {
    expect(model.map(({ node, zone }) => `${node} ${zone}`)).toEqual(
      kernel.map(([node, zone]) => `${node} ${zone}`),
    );
  });

  test("each zone manages the kernel's pages, but for one or two", () => {
    for (const [i, [, , managed]] of kernel.entries())
      expect(Math.abs(model[i]!.managedPages - Number(managed))).toBeLessThanOrEqual(3);
  });

  test("the watermarks are the kernel's, but for eight pages", () => {
    for (const [i, [, , , min, high]] of kernel.entries()) {
      expect(Math.abs(model[i]!.minPages - Number(min))).toBeLessThanOrEqual(4);
      expect(Math.abs(model[i]!.highPages - Number(high))).toBeLessThanOrEqual(8);
    }
  });

  test("what boot has taken is the kernel's, as far as chance allows", () => {
    for (const [i, [, , , , , free]] of kernel.entries())
      expect(Math.abs(model[i]!.freePages - Number(free))).toBeLessThanOrEqual(CHANCE_PAGES);
  });
});

test("with THP on, khugepaged's marks are reckoned before the image's init sections are free", () => {
  const k = testKernel({ frames: GIB_FRAMES, nodes: 2, cpus: 2 });
  // 190 + 5693 + 6395 pages in the guest.
  expect(Math.abs(k.buddy.minFreeKb / 4 - 12_278)).toBeLessThanOrEqual(4);
});

test("test geometries keep nothing", () => {
  const k = testKernel({ frames: 32, geometry: SMALL, nodes: 2 });
  expect(zoneFigures(k.buddy).map((zone) => zone.freePages)).toEqual([16, 16]);
});
