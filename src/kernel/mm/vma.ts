/**
 * Virtual memory areas of one address space: an ordered list with look-up, split and merge.
 *
 *     ──[ a ]──[ b │ c ]────   split(b at │), then, if flags, offsets and anon_vma allow, merge again
 *
 * Models:       mm/mmap.c vma_merge(), __vma_adjust(), __split_vma(), v6.1; the unfaulted-neighbour rule of
 *               v6.16.
 * Not modelled: the maple tree (a sorted array answers the same), memory policies, userfaultfd, names of
 *               anonymous areas.
 */
import type { Pfn, Vpn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import type { Mm } from "./mm.ts";
import { PTE } from "./page-table.ts";
import type { AnonVma } from "./rmap.ts";

/** Flags of an area (`vma.flags`). Those of MERGE_MASK must agree for two areas to merge. */
export const VM = {
  READ: 1,
  WRITE: 2,
  EXEC: 4,
  SHARED: 8,
  /** MADV_HUGEPAGE. */
  HUGEPAGE: 16,
  /** MADV_NOHUGEPAGE, or MAP_STACK where the kernel says so. */
  NOHUGEPAGE: 32,
  /** MADV_DONTFORK. */
  DONTCOPY: 64,
  /** Counts against the overcommit limit; stays when a writable area becomes read-only. */
  ACCOUNT: 128,
  NORESERVE: 256,
  /** A file's mapping: its pages are counted, not modelled. */
  FILE: 512,
  /** Not known from the trace (ELF segments, vdso): pages small, nothing merges. */
  UNKNOWN: 1024,
  GROWSDOWN: 2048,
  LOCKED: 4096,
} as const;

/** Read, write, execute. */
export const VM_ACCESS = VM.READ | VM.WRITE | VM.EXEC;

/** The mark of entries in an area that allows no access at all: present, yet every use of them faults. */
export function noAccessMark(flags: number): number {
  return (flags & VM_ACCESS) === 0 ? PTE.HINT : 0;
}

/** One area [start, end) in pages. */
/** The last fault on swap in an area: its page, the window that was read, and how much of that was used. */
export interface ReadAhead {
  readonly vpn: number;
  readonly window: number;
  readonly hits: number;
}

export interface Vma {
  readonly mm: Mm;
  start: Vpn;
  end: Vpn;
  flags: number;
  /** Linear page index of `start` in its anon_vma's space. */
  pgoff: number;
  anonVma: AnonVma | undefined;
  /** Every anon_vma whose pages it may map: its own, and its ancestors' after fork. */
  chain: AnonVma[];
  /** What read-ahead of swap remembers; split, move and fork copy it. Undefined: nothing was read yet. */
  readAhead: ReadAhead | undefined;
  /** The memory of a shared anonymous area: what fork and split share. */
  readonly shared: SharedMemory | undefined;
  /** Has a container for reservations: given when the area is made (posted design alone), or never. */
  readonly hasReservations: boolean;
}

/** Shared anonymous memory: pages by their index; each page here holds a reference. */
export interface SharedMemory {
  readonly pages: Map<number, Pfn>;
  /** How large it was made. An area may grow beyond that (mremap), but there is nothing to touch. */
  readonly sizePages: number;
  /** Areas that map it. */
  users: number;
}

/** Index of the first area that ends above the page; the list's length if there is none. */
export function vmaIndex(mm: Mm, vpn: number): number {
  const list = mm.vmas;
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.end > vpn) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The area that contains the page. */
export function findVma(mm: Mm, vpn: Vpn): Vma | undefined {
  const cached = mm.lastVma;
  if (cached !== undefined && vpn >= cached.start && vpn < cached.end) return cached;
  const vma = mm.vmas[vmaIndex(mm, vpn)];
  if (vma === undefined || vma.start > vpn) return undefined;
  mm.lastVma = vma;
  return vma;
}

/** Puts an area into the list; it must not overlap another. */
export function insertVma(mm: Mm, vma: Vma): void {
  const at = vmaIndex(mm, vma.start);
  const next = mm.vmas[at];
  assert(next === undefined || next.start >= vma.end, "areas of one address space do not overlap");
  mm.vmas.splice(at, 0, vma);
}

export function removeVma(mm: Mm, vma: Vma): void {
  const at = vmaIndex(mm, vma.start);
  assert(mm.vmas[at] === vma, "an area that is removed is in its address space's list");
  mm.vmas.splice(at, 1);
  if (mm.lastVma === vma) mm.lastVma = undefined;
}

/**
 * Whether pages of the two anon_vmas can be found through one area: the rule that keeps clones of a parent
 * apart.
 */
function anonVmasMerge(mm: Mm, one: Vma | undefined, other: Vma | undefined): boolean {
  const a = one?.anonVma;
  const b = other?.anonVma;
  if (a === b) return true;
  if (a !== undefined && b !== undefined) return false;
  if (mm.mergeUnfaulted) {
    const faulted = a === undefined ? other : one;
    return faulted!.chain.length === 1;
  }
  return false;
}

/** What an area-to-be looks like to its neighbours. */
export interface VmaShape {
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly pgoff: number;
  /** The area whose anon_vma or shared memory it brings along, if any. */
  readonly from: Vma | undefined;
}

function canFollow(mm: Mm, prev: Vma, shape: VmaShape): boolean {
  return (
    prev.end === shape.start &&
    prev.flags === shape.flags &&
    prev.shared === shape.from?.shared &&
    (prev.flags & (VM.FILE | VM.UNKNOWN)) === 0 &&
    prev.pgoff + (prev.end - prev.start) === shape.pgoff &&
    neighbourAnonMerges(mm, prev, shape.from)
  );
}

function canPrecede(mm: Mm, next: Vma, shape: VmaShape): boolean {
  return (
    next.start === shape.end &&
    next.flags === shape.flags &&
    next.shared === shape.from?.shared &&
    (next.flags & (VM.FILE | VM.UNKNOWN)) === 0 &&
    next.pgoff === shape.pgoff + (shape.end - shape.start) &&
    neighbourAnonMerges(mm, next, shape.from)
  );
}

/**
 * Up to 6.15 the neighbour's own chain must be singular when one side has no anon_vma, so a faulted area
 * never merges into an unfaulted neighbour, while an unfaulted one merges into a faulted neighbour.
 */
function neighbourAnonMerges(mm: Mm, neighbour: Vma, from: Vma | undefined): boolean {
  if (mm.mergeUnfaulted) return anonVmasMerge(mm, neighbour, from);
  const a = from?.anonVma;
  const b = neighbour.anonVma;
  if ((a === undefined || b === undefined) && neighbour.chain.length === 1) return true;
  return a === b;
}

/** Which neighbours an area-to-be merges with. */
export function mergeCandidates(
  mm: Mm,
  shape: VmaShape,
): { readonly prev: Vma | undefined; readonly next: Vma | undefined } {
  const at = vmaIndex(mm, shape.start);
  const before = mm.vmas[at - 1];
  // With an area of the shape's own place still in the list, the neighbour behind it is the next one.
  let behindIndex = at;
  while (mm.vmas[behindIndex] !== undefined && mm.vmas[behindIndex]!.end <= shape.end) behindIndex++;
  const behind = mm.vmas[behindIndex];
  const prev = before !== undefined && canFollow(mm, before, shape) ? before : undefined;
  const next = behind !== undefined && canPrecede(mm, behind, shape) ? behind : undefined;
  if (prev !== undefined && next !== undefined) {
    const a = prev.anonVma;
    const b = next.anonVma;
    if (a !== undefined && b !== undefined && a !== b) return { prev, next: undefined };
  }
  return { prev, next };
}
