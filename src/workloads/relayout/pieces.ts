/**
 * An ordered list of address ranges of a process, each moved by a distance of its own: how source addresses
 * become new ones. The same structure without distances lists what is occupied in the new address space.
 *
 *     source   [a ───── b)[b ── c)        [d ──── e)
 *     delta      +0x7f…     +0x7e…          +0x55…
 */
import type { OccupiedRanges } from "../../core/placement.ts";

export interface Pieces extends OccupiedRanges {
  readonly starts: number[];
  readonly ends: number[];
  readonly deltas: number[];
  count: number;
}

export function makePieces(): Pieces {
  return { starts: [], ends: [], deltas: [], count: 0 };
}

export function copyPieces(p: Pieces): Pieces {
  return { starts: p.starts.slice(), ends: p.ends.slice(), deltas: p.deltas.slice(), count: p.count };
}

/** Index of the first piece that ends above the address. */
export function pieceAbove(p: Pieces, address: number): number {
  let low = 0;
  let high = p.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (p.ends[middle]! <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the piece that holds the address, or -1. */
export function pieceAt(p: Pieces, address: number): number {
  const i = pieceAbove(p, address);
  return i < p.count && p.starts[i]! <= address ? i : -1;
}

/** Takes [start, end) out of all pieces, cutting those that reach beyond it. */
export function removePieces(p: Pieces, start: number, end: number): void {
  if (start >= end) return;
  const first = pieceAbove(p, start);
  let last = first;
  while (last < p.count && p.starts[last]! < end) last++;
  if (last === first) return;
  const kept: [number, number, number][] = [];
  if (p.starts[first]! < start) kept.push([p.starts[first]!, start, p.deltas[first]!]);
  if (p.ends[last - 1]! > end) kept.push([end, p.ends[last - 1]!, p.deltas[last - 1]!]);
  p.starts.splice(first, last - first, ...kept.map((piece) => piece[0]));
  p.ends.splice(first, last - first, ...kept.map((piece) => piece[1]));
  p.deltas.splice(first, last - first, ...kept.map((piece) => piece[2]));
  p.count = p.starts.length;
}

/** Puts a piece in place of whatever was there; neighbours that move by the same distance join it. */
export function insertPiece(p: Pieces, start: number, end: number, delta: number): void {
  if (start >= end) return;
  removePieces(p, start, end);
  const at = pieceAbove(p, start);
  if (at > 0 && p.ends[at - 1] === start && p.deltas[at - 1] === delta) {
    p.ends[at - 1] = end;
    if (at < p.count && p.starts[at] === end && p.deltas[at] === delta) {
      p.ends[at - 1] = p.ends[at]!;
      removeAt(p, at);
    }
    return;
  }
  if (at < p.count && p.starts[at] === end && p.deltas[at] === delta) {
    p.starts[at] = start;
    return;
  }
  p.starts.splice(at, 0, start);
  p.ends.splice(at, 0, end);
  p.deltas.splice(at, 0, delta);
  p.count++;
}

function removeAt(p: Pieces, at: number): void {
  p.starts.splice(at, 1);
  p.ends.splice(at, 1);
  p.deltas.splice(at, 1);
  p.count--;
}
