/**
 * One process's address space placed anew: where each mapping of the source goes, by the rules that Linux has
 * for it.
 *
 *     0x555555554000   program (position-independent), heap 64 MiB above it
 *     …                mappings, from the top down
 *     0x7ffff7fff000   mmap_base: dynamic loader and vdso below it, as exec leaves them
 *     0x7ffffffff000   stack, growing down
 *
 * That is x86-64 without address randomisation: only so can two runs be compared page by page.
 *
 * Models:       mm/mmap.c get_unmapped_area(), mm/mremap.c vma_to_resize() in its effect on addresses,
 *               fs/binfmt_elf.c's choice of places, as v6.18 was seen to do it.
 * Not modelled: the end of the program's bss (no source shows it; the heap therefore begins at a fixed
 *               distance), address hints that were not granted, guard gaps, the limit of the address space.
 */
import { NO_PLACE, type PlacementAlignment, placeTopDown } from "../../core/placement.ts";
import { assert } from "../../lib/assert.ts";
import {
  copyPieces,
  insertPiece,
  makePieces,
  type Pieces,
  pieceAbove,
  pieceAt,
  removePieces,
} from "./pieces.ts";

export interface RelayoutRules {
  /** How the kernel that is asked aligns anonymous mappings. */
  readonly alignment: PlacementAlignment;
  /**
   * How it aligns mappings of files. Filesystems have asked for huge alignment of two megabytes and more on
   * their own since before anonymous memory had it; hence "huge-if-large" unless told otherwise.
   */
  readonly fileAlignment?: PlacementAlignment;
}

const HUGE_BYTES = 0x200000;
const MMAP_BASE = 0x7ffff7fff000;
/** The dynamic loader, vvar and vdso: what exec itself maps below mmap_base. */
const EXEC_MAPS_START = 0x7ffff7fc2000;
const MMAP_BOTTOM = 0x10000;
const LOADER_START = 0x7ffff7fc7000;
const PIE_BASE = 0x555555554000;
const STACK_TOP = 0x7ffffffff000;
const HEAP_DISTANCE = 0x4000000;

/** Where valgrind (3.19, amd64) puts what exec maps. */
const VALGRIND = {
  PIE_BASE: 0x108000,
  /** Programs that are not position-independent keep their own address, 0x400000 and above. */
  FIXED_BASE: 0x400000,
  LOADER: 0x4000000,
  LOADER_END: 0x4800000,
  STACK_BOTTOM: 0x1f00000000,
  STACK_TOP: 0x1fff001000,
} as const;

export interface Layout {
  readonly rules: RelayoutRules;
  /** The source is valgrind: what it maps itself is where `VALGRIND` says. */
  readonly fromValgrind: boolean;
  /** Source ranges and how far each moves. */
  readonly moved: Pieces;
  /** What is occupied in the new address space. */
  readonly occupied: Pieces;
  /** How far the program itself moves; undefined until a page of it is seen. */
  programDelta: number | undefined;
  heapDelta: number | undefined;
  /** The heap's end in the source. */
  heapEnd: number;
}

export function makeLayout(rules: RelayoutRules, fromValgrind: boolean): Layout {
  const occupied = makePieces();
  insertPiece(occupied, EXEC_MAPS_START, MMAP_BASE, 0);
  return {
    rules,
    fromValgrind,
    moved: makePieces(),
    occupied,
    programDelta: undefined,
    heapDelta: undefined,
    heapEnd: 0,
  };
}

/** The layout of a forked child: the same, and its own from then on. */
export function copyLayout(l: Layout): Layout {
  return { ...l, moved: copyPieces(l.moved), occupied: copyPieces(l.occupied) };
}

/** How far a source address moves. */
export function deltaOf(l: Layout, address: number): number {
  const i = pieceAt(l.moved, address);
  if (i >= 0) return l.moved.deltas[i]!;
  return l.fromValgrind ? execDelta(l, address) : 0;
}

/** How far what exec has mapped moves: program, loader, stack. */
function execDelta(l: Layout, address: number): number {
  if (address < VALGRIND.LOADER) {
    l.programDelta ??= address < VALGRIND.FIXED_BASE ? PIE_BASE - VALGRIND.PIE_BASE : 0;
    return l.programDelta;
  }
  if (address < VALGRIND.LOADER_END) return LOADER_START - VALGRIND.LOADER;
  if (address >= VALGRIND.STACK_BOTTOM && address < VALGRIND.STACK_TOP) return STACK_TOP - VALGRIND.STACK_TOP;
  return 0;
}

/** A new mapping; answers where it goes. */
export function placeMap(
  l: Layout,
  start: number,
  length: number,
  how: { readonly fixed: boolean; readonly file: boolean },
): number {
  const target = how.fixed ? start + deltaOf(l, start) : placeAnew(l, length, how.file);
  take(l, start, length, target);
  return target;
}

function take(l: Layout, start: number, length: number, target: number): void {
  forget(l, start, length);
  insertPiece(l.moved, start, start + length, target - start);
  insertPiece(l.occupied, target, target + length, 0);
}

function placeAnew(l: Layout, length: number, file: boolean): number {
  const { alignment, fileAlignment } = l.rules;
  const forFiles = fileAlignment ?? (alignment === "page" ? "page" : "huge-if-large");
  const target = placeTopDown(l.occupied, {
    length,
    bottom: MMAP_BOTTOM,
    top: MMAP_BASE,
    alignment: file ? forFiles : alignment,
    hugeSize: HUGE_BYTES,
  });
  assert(target !== NO_PLACE, "128 TiB of address space hold the mappings of any recorded process");
  return target;
}

/** The source range is unmapped, and so is what it became. */
export function forget(l: Layout, start: number, length: number): void {
  for (const part of partsOf(l, start, length)) {
    removePieces(l.occupied, part.start + part.delta, part.start + part.delta + part.length);
  }
  removePieces(l.moved, start, start + length);
}

export interface Part {
  readonly start: number;
  readonly length: number;
  readonly delta: number;
  /** A mapping that the trace has shown; else something that exec mapped. */
  readonly known: boolean;
}

/**
 * A source range cut where the distance changes. Gaps between mappings are left out, unless exec mapped
 * there.
 */
export function partsOf(l: Layout, start: number, length: number): Part[] {
  const parts: Part[] = [];
  const end = start + length;
  let at = start;
  for (let i = pieceAbove(l.moved, start); at < end; i++) {
    const next = i < l.moved.count ? Math.min(end, Math.max(at, l.moved.starts[i]!)) : end;
    if (next > at) {
      const delta = l.fromValgrind ? execDelta(l, at) : 0;
      parts.push({ start: at, length: next - at, delta, known: false });
    }
    if (next >= end) break;
    const stop = Math.min(end, l.moved.ends[i]!);
    parts.push({ start: next, length: stop - next, delta: l.moved.deltas[i]!, known: true });
    at = stop;
  }
  return parts;
}

/** mremap of a source range. Answers where the range was and where it is now, in new addresses. */
export function moveMap(
  l: Layout,
  from: { readonly start: number; readonly length: number },
  to: { readonly start: number; readonly length: number; readonly fixed: boolean },
): { readonly was: number; readonly is: number } {
  const delta = deltaOf(l, from.start);
  const was = from.start + delta;
  let is: number;
  if (to.fixed) is = to.start + deltaOf(l, to.start);
  else if (to.length <= from.length || isFree(l, was + from.length, was + to.length)) is = was;
  else is = placeAnew(l, to.length, false);
  forget(l, from.start, from.length);
  take(l, to.start, to.length, is);
  return { was, is };
}

/** Nothing is mapped in that range of the new address space. */
function isFree(l: Layout, start: number, end: number): boolean {
  const i = pieceAbove(l.occupied, start);
  return i >= l.occupied.count || l.occupied.starts[i]! >= end;
}

/** The heap ends there now, in the source's addresses. Answers with the new ones. */
export function moveHeap(
  l: Layout,
  start: number,
  end: number,
): { readonly start: number; readonly end: number } {
  if (l.heapDelta === undefined) {
    l.heapDelta = l.fromValgrind ? heapBase(l) - start : 0;
    l.heapEnd = start;
  }
  const delta = l.heapDelta;
  const from = Math.ceil(Math.min(end, l.heapEnd) / 4096) * 4096;
  const to = Math.ceil(Math.max(end, l.heapEnd) / 4096) * 4096;
  if (end < l.heapEnd) forget(l, from, to - from);
  else if (to > from) take(l, from, to - from, from + delta);
  l.heapEnd = end;
  return { start: start + delta, end: end + delta };
}

/** Beyond any program: the source does not show where the program's own memory ends. */
function heapBase(l: Layout): number {
  return (l.programDelta === 0 ? VALGRIND.FIXED_BASE : PIE_BASE) + HEAP_DISTANCE;
}
