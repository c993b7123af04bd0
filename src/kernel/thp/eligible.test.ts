import { describe, expect, test } from "vitest";
import { GFP } from "../buddy/gfp.ts";
import { VM } from "../mm/vma.ts";
import { advise, picture, world, write } from "../testing/picture.ts";
import type { Tunables } from "../tunables.ts";
import { faultGfp, mayBeHuge } from "./eligible.ts";

function areaOf(text: string, flags: number, enabled: Tunables["enabled"]) {
  const w = world(text, { tunables: { enabled } });
  w.mm.vmas[0]!.flags |= flags;
  return { w, vma: w.mm.vmas[0]! };
}

test.each([
  ["always", 0, true],
  ["always", VM.NOHUGEPAGE, false],
  ["madvise", 0, false],
  ["madvise", VM.HUGEPAGE, true],
  ["never", VM.HUGEPAGE, false],
] as const)("enabled=%s, area flags %i: a fault may take a huge page: %s", (enabled, flags, may) => {
  const { w, vma } = areaOf("....", flags, enabled);
  expect(mayBeHuge(w.k, vma, "fault")).toBe(may);
});

test("MADV_COLLAPSE asks neither for enabled nor for advice, but obeys MADV_NOHUGEPAGE", () => {
  const { w, vma } = areaOf("s...", 0, "never");
  expect(mayBeHuge(w.k, vma, "collapse")).toBe(true);
  expect(mayBeHuge(w.k, vma, "collapse", vma.flags | VM.NOHUGEPAGE)).toBe(false);
});

test("khugepaged wants an area that has been written to, a fault and smaps do not", () => {
  const { w, vma } = areaOf("....", 0, "always");
  expect(["fault", "smaps", "khugepaged"].map((asker) => mayBeHuge(w.k, vma, asker as "fault"))).toEqual([
    true,
    true,
    false,
  ]);
});

test("khugepaged wants a whole region in the area", () => {
  const { w, vma } = areaOf("s..", 0, "always");
  expect(mayBeHuge(w.k, vma, "khugepaged")).toBe(false);
});

test("a process that disabled huge pages gets none; one that did so except where advised gets those", () => {
  const { w, vma } = areaOf("....", 0, "always");
  w.mm.thpDisable = 1;
  expect(mayBeHuge(w.k, vma, "fault", vma.flags | VM.HUGEPAGE)).toBe(false);
  w.mm.thpDisable = 3;
  expect(mayBeHuge(w.k, vma, "fault")).toBe(false);
  expect(mayBeHuge(w.k, vma, "fault", vma.flags | VM.HUGEPAGE)).toBe(true);
});

test("MADV_NOHUGEPAGE leaves huge pages that are there alone", () => {
  const w = world("HHHH ....");
  expect(advise(w, "nohugepage")).toBe(0);
  write(w, 4);
  expect(picture(w)).toBe("HHHH s---");
});

describe("how hard a fault tries, by transparent_hugepage/defrag", () => {
  const { DIRECT_RECLAIM, KSWAPD, NORETRY } = GFP;
  test.each([
    ["always", DIRECT_RECLAIM | NORETRY, DIRECT_RECLAIM],
    ["defer", KSWAPD, KSWAPD],
    ["defer+madvise", KSWAPD, DIRECT_RECLAIM],
    ["madvise", 0, DIRECT_RECLAIM],
    ["never", 0, 0],
  ] as const)("%s", (defrag, plain, advised) => {
    const { w, vma } = areaOf("....", 0, "always");
    w.k.tunables.defrag = defrag;
    expect(faultGfp(w.k, vma) & ~GFP.MOVABLE).toBe(plain);
    vma.flags |= VM.HUGEPAGE;
    expect(faultGfp(w.k, vma) & ~GFP.MOVABLE).toBe(advised);
  });
});
