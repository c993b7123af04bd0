/**
 * MADV_COLLAPSE: collapse now, in the caller's time, whatever khugepaged's limits say.
 *
 * Models:       mm/khugepaged.c madvise_collapse(), v6.1 (range runs on to the area's end once a region has
 *               been collapsed) and v6.18 (range as asked).
 * Not modelled: memcg limits (EBUSY), file and shmem areas.
 */
import type { Path } from "../../core/ops.ts";
import { asVpn } from "../../core/units.ts";
import { ERRNO } from "../mm/errno.ts";
import type { Mm } from "../mm/mm.ts";
import type { Vma } from "../mm/vma.ts";
import { lruDrainAll } from "../reclaim/lru.ts";
import type { Kernel } from "../state.ts";
import { mayBeHuge } from "../thp/eligible.ts";
import type { ScanResult } from "./check.ts";
import { revalidate } from "./collapse.ts";
import { collapseIfAllowed } from "./daemon.ts";

/** Results after which the next region is tried all the same. */
const GO_ON: ReadonlySet<ScanResult> = new Set<ScanResult>([
  "pmd-null",
  "non-present",
  "read-only",
  "not-referenced",
  "page-null",
  "pinned",
  "locked",
  "not-on-lru",
]);

function errnoOf(result: ScanResult): number {
  if (result === "alloc-failed") return -ERRNO.ENOMEM;
  if (result === "locked" || result === "not-on-lru" || result === "pinned") return -ERRNO.EAGAIN;
  return -ERRNO.EINVAL;
}

/**
 * Collapses the regions of [start, end) in one area. Enters and leaves with the mmap lock held for reading.
 */
export function* madviseCollapse(k: Kernel, mm: Mm, vma: Vma, start: number, end: number): Path<number> {
  const n = k.geometry.pagesPerHuge;
  if (!mayBeHuge(k, vma, "collapse")) return -ERRNO.EINVAL;
  lruDrainAll(k);
  const from = Math.ceil(start / n) * n;
  let to = end - (end % n);
  let huge = 0;
  let last: ScanResult = "vma-check";
  let locked = true;
  for (let vpn = from; vpn < to; vpn += n) {
    if (!locked) {
      yield mm.mmapLock.acquireRead;
      locked = true;
      const found = revalidate(k, mm, asVpn(vpn), "collapse");
      if (found === undefined) {
        last = "vma-check";
        break;
      }
      vma = found;
      const areaEnd = vma.end - (vma.end % n);
      to = k.behaviours.collapseRange === "to-area-end" ? areaEnd : Math.min(to, areaEnd);
      if (vpn >= to) break;
    }
    const looked = yield* collapseIfAllowed(k, mm, vma, asVpn(vpn), "collapse");
    locked = looked.locked;
    if (looked.result === "ok" || looked.result === "pmd-mapped") {
      huge++;
      continue;
    }
    last = looked.result;
    if (!GO_ON.has(looked.result)) break;
  }
  if (!locked) yield mm.mmapLock.acquireRead;
  return huge === (to - from) / n ? 0 : errnoOf(last);
}
