/**
 * madvise: what a program says about a range, area by area.
 *
 * Models:       mm/madvise.c madvise_walk_vmas(), madvise_dontneed_single_vma(), madvise_update_vma(), v6.1.
 * Not modelled: MADV_REMOVE, MADV_MERGEABLE, MADV_WIPEONFORK, MADV_POPULATE_*; of files willneed reads
 *               nothing.
 */

import type { Advice } from "../../core/advice.ts";
import type { Op, Path } from "../../core/ops.ts";
import { NO_ROW } from "../../core/units.ts";
import { madviseCollapse } from "../khugepaged/madvise-collapse.ts";
import { khugepagedEnter } from "../khugepaged/register.ts";
import { lruDrain } from "../reclaim/lru.ts";
import { readRegion } from "../reclaim/swap-read.ts";
import { type Kernel, spend } from "../state.ts";
import { changeFlags } from "./edges.ts";
import { ERRNO } from "./errno.ts";
import { ageRange, freeLazily } from "./madvise-age.ts";
import type { Mm } from "./mm.ts";
import { vpnOfRow } from "./page-table.ts";
import { nextUsedRow } from "./tables.ts";
import { VM, type Vma, vmaIndex } from "./vma.ts";
import { zapRange } from "./zap.ts";

/** Flags that an advice sets and clears. */
const FLAG_ADVICE: Partial<Record<Advice, { readonly set: number; readonly clear: number }>> = {
  hugepage: { set: VM.HUGEPAGE, clear: VM.NOHUGEPAGE },
  nohugepage: { set: VM.NOHUGEPAGE, clear: VM.HUGEPAGE },
  dontfork: { set: VM.DONTCOPY, clear: 0 },
  dofork: { set: 0, clear: VM.DONTCOPY },
};

/**
 * madvise of [start, start + pages). 0, or an errno negated; a hole gives ENOMEM after the rest has been
 * done.
 */
export function* madvise(k: Kernel, mm: Mm, start: number, pages: number, advice: Advice): Path<number> {
  spend(k, k.costs.syscallNs);
  if (advice === "collapse" && !k.behaviours.madviseCollapse) return -ERRNO.EINVAL;
  if (pages <= 0) return 0;
  const end = start + pages;
  const writes = FLAG_ADVICE[advice] !== undefined;
  yield writes ? mm.mmapLock.acquire : mm.mmapLock.acquireRead;
  let error = 0;
  let at = start;
  while (at < end) {
    const vma = mm.vmas[vmaIndex(mm, at)];
    if (vma === undefined || vma.start >= end) {
      error = -ERRNO.ENOMEM;
      break;
    }
    if (vma.start > at) {
      error = -ERRNO.ENOMEM;
      at = vma.start;
    }
    const to = Math.min(vma.end, end);
    const result = yield* adviseArea(k, mm, vma, at, to, advice);
    if (result !== 0) {
      error = result;
      break;
    }
    at = to;
  }
  yield writes ? mm.mmapLock.release : mm.mmapLock.releaseRead;
  return error;
}

/** Applies an advice to the part [start, end) of one area. */
function* adviseArea(k: Kernel, mm: Mm, vma: Vma, start: number, end: number, advice: Advice): Path<number> {
  switch (advice) {
    case "hugepage":
    case "nohugepage":
    case "dontfork":
    case "dofork":
      return yield* adviseFlags(k, vma, start, end, advice);
    case "collapse":
      return yield* madviseCollapse(k, mm, vma, start, end);
    case "dontneed":
      if ((vma.flags & VM.LOCKED) !== 0) return -ERRNO.EINVAL;
      lruDrain(k, k.cpu);
      yield* zapRange(k, mm, start, end, "advise");
      return 0;
    case "free":
      if ((vma.flags & (VM.FILE | VM.UNKNOWN | VM.SHARED)) !== 0) return -ERRNO.EINVAL;
      lruDrain(k, k.cpu);
      yield* freeLazily(k, mm, start, end);
      return 0;
    case "cold":
    case "pageout":
      if ((vma.flags & VM.LOCKED) !== 0) return -ERRNO.EINVAL;
      lruDrain(k, k.cpu);
      yield* ageRange(k, mm, start, end, advice === "pageout");
      return 0;
    case "willneed":
      if ((vma.flags & (VM.FILE | VM.UNKNOWN | VM.SHARED)) === 0) yield* readAhead(k, mm, start, end);
      lruDrain(k, k.cpu);
      return 0;
  }
}

/** What is in swap of a range comes to the swap cache. */
function* readAhead(k: Kernel, mm: Mm, start: number, end: number): Path {
  const n = k.geometry.pagesPerHuge;
  for (let row = nextUsedRow(k, mm, start, end); row !== NO_ROW; ) {
    const first = vpnOfRow(k.pt, row);
    yield* readRegion(k, row, Math.max(first, start), Math.min(first + n, end));
    row = nextUsedRow(k, mm, first + n, end);
  }
}

function* adviseFlags(k: Kernel, vma: Vma, start: number, end: number, advice: Advice): Path<number> {
  const change = FLAG_ADVICE[advice]!;
  const flags = (vma.flags & ~change.clear) | change.set;
  if (advice === "hugepage") khugepagedEnter(k, vma, flags);
  if (flags === vma.flags) return 0;
  const ops: Op[] = [];
  changeFlags(k, vma, start, end, flags, ops);
  for (const op of ops) yield op;
  return 0;
}
