/**
 * May this region be collapsed? Looks at each PTE of its table, in ascending order, and stops at the first
 * "no".
 *
 * Models:       mm/khugepaged.c hpage_collapse_scan_pmd(), __collapse_huge_page_isolate(), v6.1; v6.18's two
 *               changes; khugepaged_scan_pmd(), khugepaged_find_target_node(), v4.20; what
 *               the 2018 RFC of reservations changed there.
 * Not modelled: userfaultfd, memory of secondary MMUs, node_reclaim distances.
 */
import { C } from "../../core/counters.ts";
import { asPfn, type Pfn, type PmdRow } from "../../core/units.ts";
import { nodeOfFrame } from "../buddy/state.ts";
import { FRAME } from "../mm/frames.ts";
import { PTE } from "../mm/page-table.ts";
import { headOf, isHuge, mappingCount, mappingsOf, pageMapCount } from "../mm/rmap.ts";
import { headOfBlock, reservationHolds, reservedBlock, usedPages } from "../reservation/look.ts";
import { type Kernel, spend } from "../state.ts";

/** Why a region was left alone, or "ok". */
export type ScanResult =
  | "ok"
  | "pmd-null"
  | "pmd-none"
  | "pmd-mapped"
  | "exceed-none"
  | "exceed-swap"
  | "exceed-shared"
  | "non-present"
  | "page-null"
  | "read-only"
  | "not-referenced"
  | "not-on-lru"
  | "locked"
  | "pinned"
  | "not-anon"
  | "compound"
  | "below-threshold"
  | "not-reserved"
  | "alloc-failed"
  | "vma-check";

export const SCAN_RESULTS: readonly ScanResult[] = [
  "ok",
  "pmd-null",
  "pmd-none",
  "pmd-mapped",
  "exceed-none",
  "exceed-swap",
  "exceed-shared",
  "non-present",
  "page-null",
  "read-only",
  "not-referenced",
  "not-on-lru",
  "locked",
  "pinned",
  "not-anon",
  "compound",
  "below-threshold",
  "not-reserved",
  "alloc-failed",
  "vma-check",
];

/** What a look at a region's table found. One object a look. */
export interface RegionLook {
  result: ScanResult;
  none: number;
  swapped: number;
  shared: number;
  referenced: number;
  writable: boolean;
  /** The block that is reserved for the region, or -1. */
  block: number;
  /** The node with the most pages, lowest number first. */
  node: number;
}

/** Looks at the table of a row. `limits`: khugepaged obeys its knobs, MADV_COLLAPSE does not. */
export function lookAtRegion(k: Kernel, row: PmdRow, limits: boolean, second: boolean): RegionLook {
  const { pt, geometry } = k;
  const look: RegionLook = {
    result: "ok",
    none: 0,
    swapped: 0,
    shared: 0,
    referenced: 0,
    writable: false,
    block: reservedBlock(k, row),
    node: 0,
  };
  const load = new Int32Array(k.machine.nodes);
  const from = pt.pmd.value[row]! * geometry.pagesPerHuge;
  let i = from;
  for (; i < from + geometry.pagesPerHuge; i++) {
    look.result = lookAtPte(k, i, limits, second, look, load);
    if (look.result !== "ok") break;
  }
  spend(k, (i - from) * k.costs.scanPteNs);
  if (look.result === "ok") look.result = verdict(k, look, limits);
  for (let node = 1; node < load.length; node++) if (load[node]! > load[look.node]!) look.node = node;
  if (look.result === "ok" && !second && k.behaviours.collapseNode === "rotate") takeTurns(k, look, load);
  return look;
}

/** Of several nodes with equally many pages the one behind the last that was asked, if there is one. */
function takeTurns(k: Kernel, look: RegionLook, load: Int32Array): void {
  const most = load[look.node]!;
  const last = k.khugepaged.lastTarget;
  if (look.node <= last) {
    const next = load.indexOf(most, last + 1);
    if (next >= 0) look.node = next;
  }
  k.khugepaged.lastTarget = look.node;
}

function verdict(k: Kernel, look: RegionLook, limits: boolean): ScanResult {
  if (look.block >= 0 && usedPages(k, look.block) === 0) return "below-threshold";
  if (k.behaviours.collapseNeedsWritable && !look.writable) return "read-only";
  if (!limits) return "ok";
  const half = k.geometry.pagesPerHuge / 2;
  const wanted = look.swapped > 0 && k.behaviours.collapseReferenced === "one" ? half : 1;
  return look.referenced < wanted ? "not-referenced" : "ok";
}

function lookAtPte(
  k: Kernel,
  pte: number,
  limits: boolean,
  second: boolean,
  look: RegionLook,
  load: Int32Array,
): ScanResult {
  const flags = k.pt.pteFlags[pte]!;
  if ((flags & PTE.SWAP) !== 0) {
    if (second) return "non-present";
    look.swapped++;
    return limits && look.swapped > k.tunables.maxPtesSwap ? exceed(k, "exceed-swap") : "ok";
  }
  if (flags === 0 || (flags & PTE.ZERO) !== 0) {
    look.none++;
    if (look.block >= 0) return lookAtUnused(k, pte, limits, look);
    return limits && look.none > k.tunables.maxPtesNone ? exceed(k, "exceed-none") : "ok";
  }
  if ((flags & PTE.WRITE) !== 0) look.writable = true;
  if ((flags & PTE.FILE) !== 0) return "page-null";
  return lookAtPage(k, asPfn(k.pt.ptePfn[pte]!), pte, limits, look, load);
}

/** The reservation's page for an entry. */
function ownPage(k: Kernel, look: RegionLook, pte: number): Pfn {
  return asPfn(headOfBlock(k, look.block) + (pte % k.geometry.pagesPerHuge));
}

/** An entry of a reserved region that maps nothing; reviewed, the threshold stands in for max_ptes_none. */
function lookAtUnused(k: Kernel, pte: number, limits: boolean, look: RegionLook): ScanResult {
  // A fault is bringing the page in.
  if (k.frames.refCount[ownPage(k, look, pte)] !== 1) return "pinned";
  if (!limits || k.behaviours.reservations === "reviewed" || look.none <= k.tunables.maxPtesNone) return "ok";
  return exceed(k, "exceed-none");
}

function lookAtPage(
  k: Kernel,
  pfn: Pfn,
  pte: number,
  limits: boolean,
  look: RegionLook,
  load: Int32Array,
): ScanResult {
  const head = headOf(k, pfn);
  const flags = k.frames.flags[head]!;
  const pteFlags = k.pt.pteFlags[pte]!;
  if (isHuge(k, pfn) && k.behaviours.collapseCompound === "refuse") return "compound";
  // Where shared pages are refused, that shows by their reference counts.
  const reserved = look.block >= 0;
  if (!reserved && k.behaviours.collapseShared !== "refuse" && isShared(k, pfn, head)) {
    look.shared++;
    if (limits && look.shared > k.tunables.maxPtesShared) return exceed(k, "exceed-shared");
  }
  load[nodeOfFrame(k.buddy, head)]! += 1;
  if ((flags & FRAME.LRU) === 0) return "not-on-lru";
  if ((flags & FRAME.LOCKED) !== 0) return "locked";
  if ((flags & FRAME.ANON) === 0) return "not-anon";
  const inSwapCache = (flags & FRAME.SWAPCACHE) !== 0 ? 1 : 0;
  const size = isHuge(k, head) ? k.geometry.pagesPerHuge : 1;
  if (reserved && pfn !== ownPage(k, look, pte)) return "not-reserved";
  if (reserved && limits && usedPages(k, look.block) < k.tunables.promotionThreshold)
    return "below-threshold";
  const mappings = reserved ? 1 + reservationHolds(k, head) : mappingsExpected(k, head);
  if (k.frames.refCount[head] !== mappings + inSwapCache * size) return "pinned";
  if ((pteFlags & PTE.YOUNG) !== 0 || (flags & FRAME.REFERENCED) !== 0) look.referenced++;
  return "ok";
}

/** References that mappings may account for; where shared pages are refused, there is one. */
function mappingsExpected(k: Kernel, head: Pfn): number {
  return k.behaviours.collapseShared === "refuse" ? 1 : mappingCount(k, head);
}

function isShared(k: Kernel, pfn: Pfn, head: Pfn): boolean {
  if (k.behaviours.collapseShared !== "by-folio" || !isHuge(k, pfn)) return pageMapCount(k, pfn) > 1;
  const first = mappingsOf(k, pfn)[0];
  for (let i = 0; i < k.geometry.pagesPerHuge; i++) {
    for (const hit of mappingsOf(k, asPfn(head + i))) if (hit.mm !== first?.mm) return true;
  }
  return false;
}

function exceed(k: Kernel, result: "exceed-none" | "exceed-swap" | "exceed-shared"): ScanResult {
  if (!k.behaviours.scanExceedCounters) return result;
  if (result === "exceed-none") k.vmstat[C.thp_scan_exceed_none_pte]! += 1;
  else if (result === "exceed-swap") k.vmstat[C.thp_scan_exceed_swap_pte]! += 1;
  else k.vmstat[C.thp_scan_exceed_share_pte]! += 1;
  return result;
}
