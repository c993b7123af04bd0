/**
 * Which areas may have huge pages, and how hard the kernel tries to find one.
 *
 * Models:       mm/huge_memory.c hugepage_vma_check(), vma_thp_gfp_mask(), v6.1;
 *               PR_THP_DISABLE_EXCEPT_ADVISED, v6.18.
 * Not modelled: file and shmem areas, temporary stacks, multi-size THP (its sizes are off by default).
 */
import type { Vpn } from "../../core/units.ts";
import { GFP } from "../buddy/gfp.ts";
import { VM, type Vma } from "../mm/vma.ts";
import type { Kernel } from "../state.ts";

/** Who asks: a fault, khugepaged (or its registration), MADV_COLLAPSE, smaps. */
export type Asker = "fault" | "khugepaged" | "collapse" | "smaps";

/**
 * Whether an area may have huge pages, in the order of the kernel's checks. `flags`: the area's, or those it
 * will get.
 */
export function mayBeHuge(k: Kernel, vma: Vma, asker: Asker, flags: number = vma.flags): boolean {
  if ((flags & VM.NOHUGEPAGE) !== 0) return false;
  if (vma.mm.thpDisable === 1) return false;
  if (vma.mm.thpDisable === 3 && (flags & VM.HUGEPAGE) === 0 && asker !== "collapse") return false;
  if ((flags & (VM.FILE | VM.UNKNOWN | VM.SHARED)) !== 0) return false;
  if (asker !== "fault" && !holdsRegion(k, vma)) return false;
  if (asker !== "collapse") {
    const enabled = k.tunables.enabled;
    if (enabled === "never") return false;
    if (enabled === "madvise" && (flags & VM.HUGEPAGE) === 0) return false;
  }
  return vma.anonVma !== undefined || asker === "fault" || asker === "smaps";
}

/** Whether at least one whole region lies in the area. */
function holdsRegion(k: Kernel, vma: Vma): boolean {
  const n = k.geometry.pagesPerHuge;
  return vma.end - (vma.end % n) - n >= vma.start;
}

/** Whether the whole region around a page lies in the area. */
export function regionFits(k: Kernel, vma: Vma, vpn: Vpn): boolean {
  const n = k.geometry.pagesPerHuge;
  const first = vpn - (vpn % n);
  return first >= vma.start && first + n <= vma.end;
}

/** Allocation flags of a huge page for a fault, by transparent_hugepage/defrag. */
export function faultGfp(k: Kernel, vma: Vma): number {
  const advised = (vma.flags & VM.HUGEPAGE) !== 0;
  switch (k.tunables.defrag) {
    case "always":
      return GFP.MOVABLE | GFP.DIRECT_RECLAIM | (advised ? 0 : GFP.NORETRY);
    case "defer":
      return GFP.MOVABLE | GFP.KSWAPD;
    case "defer+madvise":
      return GFP.MOVABLE | (advised ? GFP.DIRECT_RECLAIM : GFP.KSWAPD);
    case "madvise":
      return GFP.MOVABLE | (advised ? GFP.DIRECT_RECLAIM : 0);
    case "never":
      return GFP.MOVABLE;
  }
}

/** Allocation flags of a huge page for khugepaged (its own defrag knob) or MADV_COLLAPSE (always hard). */
export function collapseGfp(k: Kernel, asker: "khugepaged" | "collapse"): number {
  const hard = asker === "collapse" || k.tunables.khugepagedDefrag;
  return GFP.MOVABLE | GFP.THISNODE | (hard ? GFP.DIRECT_RECLAIM : 0);
}
