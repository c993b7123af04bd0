/**
 * Reverse mapping of anonymous memory: from a frame to the page-table entries that map it.
 *
 *     frame ──anonVma──▶ AnonVma ──vmas──▶ each area ──index − pgoff──▶ address ──▶ PMD row or PTE
 *
 * Models:       mm/rmap.c anon_vma_prepare(), anon_vma_clone(), anon_vma_fork(), page_add/remove_anon_rmap(),
 *               v6.1.
 * Not modelled: the interval tree (a list in its order is walked), file rmap, KSM.
 */
import { C } from "../../core/counters.ts";
import { NO_ROW, type Pfn, type PmdRow, type Vpn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import type { Kernel } from "../state.ts";
import { BLOCK, FRAME, rowOfHuge, rowOfPage } from "./frames.ts";
import type { Mm } from "./mm.ts";
import { findRow, PMD, PTE, pteIndex } from "./page-table.ts";
import { VM_ACCESS, type Vma, vmaIndex } from "./vma.ts";

/** Pages of one area and of those that came from it by fork. */
export interface AnonVma {
  readonly id: number;
  readonly root: AnonVma;
  /** Every area that may map its pages. */
  readonly vmas: Vma[];
  /** anon_vmas below it, itself included when it is the root. */
  children: number;
  /** Areas whose own anon_vma it is. */
  active: number;
  readonly parent: AnonVma | undefined;
}

export interface RmapState {
  /** By id; undefined when gone. Id 0 is never used. */
  readonly anonVmas: (AnonVma | undefined)[];
  readonly freeIds: number[];
}

export function makeRmap(): RmapState {
  return { anonVmas: [undefined], freeIds: [] };
}

function makeAnonVma(k: Kernel, parent: AnonVma | undefined): AnonVma {
  const id = k.rmap.freeIds.pop() ?? k.rmap.anonVmas.length;
  const anonVma = { id, vmas: [], children: 0, active: 0, parent } as unknown as AnonVma & { root: AnonVma };
  anonVma.root = parent?.root ?? anonVma;
  (parent ?? anonVma).children++;
  k.rmap.anonVmas[id] = anonVma;
  return anonVma;
}

function attach(vma: Vma, anonVma: AnonVma): void {
  vma.chain.push(anonVma);
  insertInOrder(anonVma.vmas, vma);
}

/** The interval tree is walked by an area's first page; of equal ones, who came first. */
function insertInOrder(vmas: Vma[], vma: Vma): void {
  let at = vmas.length;
  while (at > 0 && vmas[at - 1]!.pgoff > vma.pgoff) at--;
  vmas.splice(at, 0, vma);
}

/** An area whose edge has moved is taken out of its anon_vmas' trees and put in again. */
export function reinsertInAnonVmas(vma: Vma): void {
  for (const { vmas } of vma.chain) {
    vmas.splice(vmas.indexOf(vma), 1);
    insertInOrder(vmas, vma);
  }
}

/** Takes an area out of every anon_vma it is in; those that nothing uses any more go. */
export function unlinkAnonVmas(k: Kernel, vma: Vma): void {
  if (vma.anonVma !== undefined) vma.anonVma.active--;
  for (const anonVma of vma.chain) {
    anonVma.vmas.splice(anonVma.vmas.indexOf(vma), 1);
    if (anonVma.vmas.length === 0 && k.rmap.anonVmas[anonVma.id] === anonVma) {
      if (anonVma.parent !== undefined) anonVma.parent.children--;
      k.rmap.anonVmas[anonVma.id] = undefined;
      k.rmap.freeIds.push(anonVma.id);
    }
  }
  vma.chain = [];
  vma.anonVma = undefined;
}

/**
 * The neighbour's anon_vma, where a later merge of the two areas would want one (find_mergeable_anon_vma).
 */
function reusableAnonVma(neighbour: Vma | undefined, first: Vma | undefined, second: Vma | undefined) {
  if (neighbour?.anonVma === undefined || neighbour.chain.length !== 1) return undefined;
  if (first === undefined || second === undefined) return undefined;
  const compatible =
    first.end === second.start &&
    ((first.flags ^ second.flags) & ~VM_ACCESS) === 0 &&
    second.pgoff === first.pgoff + (first.end - first.start);
  return compatible ? neighbour.anonVma : undefined;
}

/** Gives an area its anon_vma before its first anonymous page. */
export function prepareAnonVma(k: Kernel, vma: Vma): void {
  if (vma.anonVma !== undefined) return;
  const at = vmaIndex(vma.mm, vma.start);
  const next = vma.mm.vmas[at + 1];
  const prev = vma.mm.vmas[at - 1];
  const anonVma =
    reusableAnonVma(next, vma, next) ?? reusableAnonVma(prev, prev, vma) ?? makeAnonVma(k, undefined);
  vma.anonVma = anonVma;
  anonVma.active++;
  attach(vma, anonVma);
}

/** A new area (split, remap) may map what the old one may. */
export function cloneAnonVmas(target: Vma, source: Vma): void {
  for (const anonVma of source.chain) attach(target, anonVma);
  target.anonVma = source.anonVma;
  if (target.anonVma !== undefined) target.anonVma.active++;
}

/** fork: the child's area may map what the parent's may, and gets an anon_vma for its own new pages. */
export function forkAnonVma(k: Kernel, child: Vma, parent: Vma): void {
  if (parent.anonVma === undefined) return;
  for (const anonVma of parent.chain) {
    attach(child, anonVma);
    // An ancestor that no area uses as its own any more and that has at most one child is taken over.
    if (child.anonVma === undefined && anonVma.children < 2 && anonVma.active === 0) {
      child.anonVma = anonVma;
      anonVma.active++;
    }
  }
  if (child.anonVma !== undefined) return;
  const own = makeAnonVma(k, parent.anonVma);
  child.anonVma = own;
  own.active++;
  attach(child, own);
}

/** Linear index of a page of an area, modulo 2^32. */
export function linearIndex(vma: Vma, vpn: number): number {
  return (vma.pgoff + (vpn - vma.start)) % 0x1_0000_0000;
}

/** The LRU list on which new pages start. */
function firstList(k: Kernel): number {
  return k.behaviours.newPagesActive ? FRAME.ACTIVE : 0;
}

/** A page fresh from the allocator becomes anonymous and exclusive, mapped once by a PTE. */
export function addNewAnonRmap(k: Kernel, pfn: Pfn, vma: Vma, vpn: Vpn): void {
  const { frames } = k;
  assert(frames.mapCount[pfn] === 0, "a frame fresh from the allocator is mapped nowhere");
  frames.flags[pfn]! |= FRAME.ANON | FRAME.SWAPBACKED | FRAME.EXCLUSIVE | firstList(k);
  frames.mapCount[pfn] = 1;
  frames.anonVma[pfn] = vma.anonVma!.id;
  frames.index[pfn] = linearIndex(vma, vpn);
  k.vmstat[C.nr_anon_pages]! += 1;
}

/**
 * A base page of the swap cache, which may be a part of a huge one, is mapped (again) by a PTE. `mine`: by
 * the only process that knows it. A page that was just read becomes anonymous by this.
 */
export function addCachedRmap(k: Kernel, pfn: Pfn, vma: Vma, vpn: number, mine: boolean): void {
  const { frames, blocks } = k;
  if ((frames.flags[headOf(k, pfn)]! & FRAME.ANON) === 0) {
    frames.flags[pfn]! |= FRAME.ANON;
    frames.anonVma[pfn] = (mine ? vma.anonVma! : vma.anonVma!.root).id;
    frames.index[pfn] = linearIndex(vma, vpn);
  }
  if (mine) frames.flags[pfn]! |= FRAME.EXCLUSIVE;
  frames.mapCount[pfn]! += 1;
  if (frames.mapCount[pfn] !== 1) return;
  if (isHuge(k, pfn)) {
    const block = pfn >> k.geometry.hugeOrder;
    blocks.ptePages[block]! += 1;
    if (blocks.hugeMapCount[block]! > 0) return;
  }
  k.vmstat[C.nr_anon_pages]! += 1;
}

/** A huge page fresh from the allocator becomes anonymous and exclusive, mapped once by a PMD. */
export function addNewHugeRmap(k: Kernel, head: Pfn, vma: Vma, startVpn: Vpn): void {
  const { frames, blocks, geometry } = k;
  const block = head >> geometry.hugeOrder;
  frames.flags[head]! |= FRAME.ANON | FRAME.SWAPBACKED | FRAME.EXCLUSIVE | firstList(k);
  const row = rowOfHuge(frames, geometry.hugeOrder, head);
  frames.anonVma[row] = vma.anonVma!.id;
  frames.index[row] = linearIndex(vma, startVpn);
  blocks.hugeMapCount[block] = 1;
  blocks.flags[block] = 0;
  k.vmstat[C.nr_anon_pages]! += geometry.pagesPerHuge;
  k.vmstat[C.nr_anon_transparent_hugepages]! += 1;
}

/** The page belongs to this area alone from now on. `pfn` may be a tail; rmap data is the head's. */
export function moveAnonRmap(k: Kernel, pfn: Pfn, vma: Vma): void {
  const { frames, geometry } = k;
  frames.flags[pfn]! |= FRAME.EXCLUSIVE;
  frames.anonVma[rowOfPage(frames, geometry.hugeOrder, headOf(k, pfn))] = vma.anonVma!.id;
}

/** Head of the huge page that a frame belongs to; the frame itself if it is a base page. */
export function headOf(k: Kernel, pfn: Pfn): Pfn {
  return (k.frames.flags[pfn]! & FRAME.TAIL) === 0 ? pfn : ((pfn & ~(k.geometry.pagesPerHuge - 1)) as Pfn);
}

/** True if the frame is part of a huge page. */
export function isHuge(k: Kernel, pfn: Pfn): boolean {
  return (k.frames.flags[pfn]! & (FRAME.HEAD | FRAME.TAIL)) !== 0;
}

/**
 * All mappings of a page: PMD mappings count once, PTE mappings one by one (total_mapcount without double
 * map).
 */
export function mappingCount(k: Kernel, head: Pfn): number {
  const { frames, blocks, geometry } = k;
  if ((frames.flags[head]! & FRAME.HEAD) === 0) return frames.mapCount[head]!;
  let count = blocks.hugeMapCount[head >> geometry.hugeOrder]!;
  for (let pfn = head as number, end = head + geometry.pagesPerHuge; pfn < end; pfn++)
    count += frames.mapCount[pfn]!;
  return count;
}

/** How often this base page is mapped, by PMD or PTE (page_mapcount). */
export function pageMapCount(k: Kernel, pfn: Pfn): number {
  const count = k.frames.mapCount[pfn]!;
  return isHuge(k, pfn) ? count + k.blocks.hugeMapCount[pfn >> k.geometry.hugeOrder]! : count;
}

/** True while some mapping by PTE of that subpage, or the double map, keeps its map count from the bottom. */
export function hasDoubleMap(k: Kernel, head: Pfn): boolean {
  return (k.blocks.flags[head >> k.geometry.hugeOrder]! & BLOCK.DOUBLE_MAP) !== 0;
}

/** One place where a frame is mapped. `huge`: by the PMD of `row`; else by the PTE at `pte`. */
export interface RmapHit {
  readonly mm: Mm;
  readonly vma: Vma;
  readonly vpn: Vpn;
  readonly row: PmdRow;
  readonly huge: boolean;
  /** Index into the PTE columns; -1 for a huge mapping. Valid until page tables change. */
  readonly pte: number;
}

/**
 * Every mapping of one base page, or of the head's PMD mappings. For a huge page, `pfn` may be any of its
 * frames: PMD mappings are reported for each, PTE mappings for that subpage alone.
 */
export function mappingsOf(k: Kernel, pfn: Pfn): RmapHit[] {
  const head = headOf(k, pfn);
  const page = rowOfPage(k.frames, k.geometry.hugeOrder, head);
  const anonVma = k.rmap.anonVmas[k.frames.anonVma[page]!];
  const hits: RmapHit[] = [];
  if (anonVma === undefined || (k.frames.flags[head]! & FRAME.ANON) === 0) return hits;
  const index = k.frames.index[page]! + (pfn - head);
  for (const vma of anonVma.vmas) {
    const distance =
      (((index - (vma.pgoff % 0x1_0000_0000)) % 0x1_0000_0000) + 0x1_0000_0000) % 0x1_0000_0000;
    if (distance >= vma.end - vma.start) continue;
    const hit = hitAt(k, vma, (vma.start + distance) as Vpn, pfn, head);
    if (hit !== undefined) hits.push(hit);
  }
  return hits;
}

/** The mapping of a frame (`head`: of its huge page, or itself) at that page of an area, if there is one. */
export function hitAt(k: Kernel, vma: Vma, vpn: Vpn, pfn: Pfn, head: Pfn): RmapHit | undefined {
  const row = findRow(k.pt, vma.mm.directory, vpn);
  if (row === NO_ROW) return undefined;
  const kind = k.pt.pmd.kind[row];
  if (kind === PMD.HUGE) {
    return k.pt.pmd.value[row] === head ? { mm: vma.mm, vma, vpn, row, huge: true, pte: -1 } : undefined;
  }
  if (kind !== PMD.TABLE) return undefined;
  const pte = pteIndex(k.pt, row, vpn);
  const present = (k.pt.pteFlags[pte]! & (PTE.PRESENT | PTE.ZERO | PTE.FILE)) === PTE.PRESENT;
  return present && k.pt.ptePfn[pte] === pfn ? { mm: vma.mm, vma, vpn, row, huge: false, pte } : undefined;
}
