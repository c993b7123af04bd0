/**
 * munmap and the end of an address space.
 *
 *     split the areas at both edges ──▶ take them off the list ──▶ zap ──▶ free tables nobody else needs
 *
 * Models:       mm/mmap.c do_mas_align_munmap(), unmap_region(), exit_mmap(), v6.1.
 * Not modelled: downgrading the mmap lock while zapping; the OOM reaper.
 */
import { EVENT } from "../../core/events.ts";
import type { Op, Path } from "../../core/ops.ts";
import { assert } from "../../lib/assert.ts";
import { dropShared } from "../fault/shared.ts";
import { khugepagedExit } from "../khugepaged/register.ts";
import { numaPolicy } from "../numa/policy.ts";
import { lruDrain } from "../reclaim/lru.ts";
import { emit, type Kernel, spend } from "../state.ts";
import { splitVma } from "./edges.ts";
import { ERRNO } from "./errno.ts";
import { addFilePages, type Mm } from "./mm.ts";
import { unpinAll } from "./pin.ts";
import { unlinkAnonVmas } from "./rmap.ts";
import { freePageTables } from "./tables.ts";
import { type Vma, vmaIndex } from "./vma.ts";
import { zapRange } from "./zap.ts";

/** munmap. 0, or an errno negated; a hole is no error. */
export function* munmap(k: Kernel, mm: Mm, start: number, pages: number): Path<number> {
  spend(k, k.costs.syscallNs);
  if (pages <= 0) return -ERRNO.EINVAL;
  yield mm.mmapLock.acquire;
  yield* unmapLocked(k, mm, start, start + pages);
  yield mm.mmapLock.release;
  return 0;
}

/** Unmaps [start, end); the caller holds the mmap lock for writing. */
export function* unmapLocked(k: Kernel, mm: Mm, start: number, end: number): Path {
  const ops: Op[] = [];
  let at = vmaIndex(mm, start);
  const first = mm.vmas[at];
  if (first === undefined || first.start >= end) return;
  if (first.start < start) {
    splitVma(k, first, start, ops);
    at++;
  }
  let behind = at;
  while (mm.vmas[behind] !== undefined && mm.vmas[behind]!.start < end) {
    const vma = mm.vmas[behind]!;
    if (vma.end > end) splitVma(k, vma, end, ops);
    behind++;
  }
  for (const op of ops) yield op;
  const gone = mm.vmas.splice(at, behind - at);
  mm.lastVma = undefined;
  lruDrain(k, k.cpu);
  const floor = at > 0 ? mm.vmas[at - 1]!.end : 0;
  const ceiling = mm.vmas[at] !== undefined ? mm.vmas[at]!.start : Number.MAX_SAFE_INTEGER;
  for (const vma of gone) yield* zapRange(k, mm, vma.start, vma.end, "unmap");
  releaseAreas(k, gone);
  freePageTables(k, mm, gone[0]!.start, gone[gone.length - 1]!.end, floor, ceiling);
}

function releaseAreas(k: Kernel, gone: readonly Vma[]): void {
  for (const vma of gone) {
    unlinkAnonVmas(k, vma);
    dropShared(k, vma);
  }
}

/** The last thread left: everything goes. The mm must not be used afterwards. */
export function* exitMm(k: Kernel, mm: Mm): Path {
  const { exit } = numaPolicy(k);
  if (exit !== undefined) yield* exit(k, mm);
  yield* khugepagedExit(k, mm);
  lruDrain(k, k.cpu);
  const gone = mm.vmas.splice(0);
  mm.lastVma = undefined;
  for (const vma of gone) yield* zapRange(k, mm, vma.start, vma.end, "exit");
  releaseAreas(k, gone);
  unpinAll(k, mm);
  if (gone.length > 0) {
    freePageTables(k, mm, gone[0]!.start, gone[gone.length - 1]!.end, 0, Number.MAX_SAFE_INTEGER);
  }
  addFilePages(mm, -mm.filePages);
  assert(mm.tablePages === 1, "of an address space without areas only the topmost table is left");
  mm.tablePages = 0;
  if (mm.usesHugeZero) {
    mm.usesHugeZero = false;
    k.thp.hugeZeroUsers -= 1;
  }
  emit(k, EVENT.exit, mm.id);
  k.mms[mm.id] = undefined;
}
