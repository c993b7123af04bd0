/**
 * Marking a range: entries become inaccessible, so that their next use faults and tells who uses them.
 *
 *     huge PMD ─▶ mark                         (always: no look at pins, sharing or the node)
 *     PTE ─▶ mapped by one, on another node ─▶ mark
 *
 * A base page that anybody else refers to is left alone: pinned, in swap cache, or still in a per-CPU LRU
 * batch, which is why the latest few pages of each CPU are not seen.
 *
 * Models:       mm/mempolicy.c change_prot_numa(); mm/mprotect.c change_pte_range(), change_pmd_range();
 *               mm/huge_memory.c change_huge_pmd() with MM_CP_PROT_NUMA, v6.1.
 * Not modelled: device and KSM pages.
 */
import { C } from "../../core/counters.ts";
import type { Path } from "../../core/ops.ts";
import { asPfn, asVpn, NO_NODE, NO_ROW, type NodeId, type Pfn, type PmdRow } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { localNode } from "../fault/node.ts";
import { pageTableLock } from "../locks.ts";
import { movingPage } from "../migration/entries.ts";
import { FRAME } from "../mm/frames.ts";
import { PMD, PTE, vpnOfRow } from "../mm/page-table.ts";
import { headOf, pageMapCount } from "../mm/rmap.ts";
import { nextUsedRow } from "../mm/tables.ts";
import { VM, type Vma } from "../mm/vma.ts";
import { reservationHolds } from "../reservation/look.ts";
import { type Kernel, spend } from "../state.ts";
import { flushRange } from "../tlb/shootdown.ts";
import { markStacks } from "./stack.ts";

/** No node: pages are marked wherever they are. */
const ANYWHERE = NO_NODE;
/** Bit of kernel.numa_balancing: balancing between nodes (the other is for slow memory). */
const MODE_NORMAL = 1;
const HINT_WRITE = PTE.HINT | PTE.WRITE;

/** Marks [start, end) of an area; returns how many base pages' entries changed. */
export function* markRange(k: Kernel, vma: Vma, start: number, end: number): Path<number> {
  const { pt, geometry, vmstat } = k;
  const n = geometry.pagesPerHuge;
  const { flushEachHuge, tieringMode } = k.behaviours.numaRules;
  // All memory is fast here: with the tiering bit alone there is nothing to do.
  if (tieringMode && (k.tunables.numaBalancingMode & MODE_NORMAL) === 0) return 0;
  const alone = (vma.flags & VM.SHARED) === 0 && vma.mm.users === 1;
  const home = alone ? localNode(k) : ANYWHERE;
  let small = 0;
  let huge = 0;
  let first = end;
  let last = start;
  vma.mm.flushesPending += 1;
  for (let row = nextUsedRow(k, vma.mm, start, end); row !== NO_ROW; ) {
    const rowVpn = vpnOfRow(pt, row);
    const from = Math.max(rowVpn, start);
    const to = Math.min(rowVpn + n, end);
    const lock = pageTableLock(k, row);
    yield lock.acquire;
    let changed = 0;
    if (pt.pmd.kind[row] === PMD.HUGE) {
      assert(to - from === n, "a huge page lies in one area, and chunks end between huge pages");
      changed = markHuge(k, row);
      huge += changed / n;
      if (changed > 0 && flushEachHuge) yield flushRange(k, vma.mm, rowVpn, n, "scan", n);
    } else if (pt.pmd.kind[row] === PMD.TABLE) {
      changed = markPtes(k, vma, row, from, to, home);
      small += changed;
    }
    if (changed > 0) {
      markStacks(vma.mm);
      first = Math.min(first, from);
      last = to;
    }
    yield lock.release;
    row = nextUsedRow(k, vma.mm, rowVpn + n, end);
  }
  const updates = small + huge * n;
  vmstat[C.numa_huge_pte_updates]! += huge;
  vmstat[C.numa_pte_updates]! += updates;
  if (updates > 0) yield flushRange(k, vma.mm, asVpn(first), last - first, "scan", small > 0 ? 1 : n);
  vma.mm.flushesPending -= 1;
  return updates;
}

/** Marks a huge PMD; its pages if it was not marked. */
function markHuge(k: Kernel, row: PmdRow): number {
  const { flags } = k.pt.pmd;
  spend(k, k.costs.scanPteNs);
  if ((flags[row]! & PTE.HINT) !== 0) return 0;
  flags[row]! |= PTE.HINT;
  spend(k, k.costs.changePteNs);
  return k.geometry.pagesPerHuge;
}

/** Marks PTEs under the lock of their table. */
function markPtes(k: Kernel, vma: Vma, row: PmdRow, from: number, to: number, home: NodeId): number {
  const { pt, geometry } = k;
  const base = pt.pmd.value[row]! * geometry.pagesPerHuge;
  const n = geometry.pagesPerHuge;
  let changed = 0;
  for (let vpn = from; vpn < to; vpn++) {
    const pte = base + (vpn % n);
    const flags = pt.pteFlags[pte]!;
    if ((flags & HINT_WRITE) === HINT_WRITE && movingPage(k, row, pte) >= 0) {
      pt.pteFlags[pte] = flags & ~PTE.WRITE;
      changed++;
      continue;
    }
    if ((flags & (PTE.PRESENT | PTE.HINT | PTE.ZERO | PTE.FILE)) !== PTE.PRESENT) continue;
    if (!worthMarking(k, vma, pt.ptePfn[pte]!, home)) continue;
    pt.pteFlags[pte] = flags | PTE.HINT;
    changed++;
  }
  spend(k, (to - from) * k.costs.scanPteNs + changed * k.costs.changePteNs);
  return changed;
}

function worthMarking(k: Kernel, vma: Vma, pfn: number, home: NodeId): boolean {
  const { flags } = k.frames;
  const head = headOf(k, asPfn(pfn));
  if ((vma.flags & VM.SHARED) === 0 && isShared(k, asPfn(pfn), head)) return false;
  // Lazily freed pages count as file pages here; a dirty one could not be migrated without waiting.
  const isFile = (flags[head]! & (FRAME.ANON | FRAME.SWAPBACKED)) === FRAME.ANON;
  if (isFile && (flags[head]! & FRAME.DIRTY) !== 0) return false;
  return nodeOfFrame(k.buddy, head) !== home;
}

/** Whether somebody else may use a page of a private area, as far as the kernel looks. */
function isShared(k: Kernel, pfn: Pfn, head: Pfn): boolean {
  const { sharedTest } = k.behaviours.numaRules;
  if (sharedTest === "references") return k.frames.refCount[head] !== 1 + reservationHolds(k, head);
  return pageMapCount(k, sharedTest === "mappings" ? pfn : head) !== 1;
}
