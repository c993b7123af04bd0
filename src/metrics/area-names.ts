/**
 * What an area is, for people: a name that the workload gave it, or what /proc/PID/maps would put there, as
 * far as the run knows. A trace holds no file names, and says nothing of what exec maps: such areas are named
 * by where they lie, and the name says so.
 */
import type { Mm } from "../kernel/mm/mm.ts";
import { VM, type Vma } from "../kernel/mm/vma.ts";

/** Pages that the workload gave a name. */
export interface NamedRange {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/** Where x86-64 puts libraries and stacks, as pages: the program's own segments lie far below. */
const MMAP_REGION_VPN = 0x7e0000000000 / 4096;

/** A range is mapped anew: names of what was there are gone; `name`, if there is one, is the new one. */
export function nameRange(
  names: NamedRange[],
  start: number,
  pages: number,
  name: string | undefined,
): NamedRange[] {
  const end = start + pages;
  const others = names.filter((other) => other.end <= start || other.start >= end);
  return name === undefined ? others : [...others, { start, end, name }];
}

/** The name of an area now. */
export function areaName(mm: Mm, { start, end, flags }: Vma, names: readonly NamedRange[]): string {
  const named = names.find((range) => range.start < end && range.end > start);
  if (named !== undefined) return named.name;
  if (mm.brkStart >= 0 && start < mm.brkEnd && end > mm.brkStart) return "[heap]";
  if ((flags & VM.UNKNOWN) !== 0) return nameByPlace(mm, start);
  if ((flags & VM.FILE) !== 0) return "file";
  return (flags & VM.SHARED) !== 0 ? "shared memory" : "anonymous";
}

/** Areas that exec made, before the trace could see any: told apart by their order. */
function nameByPlace(mm: Mm, start: number): string {
  if (start < MMAP_REGION_VPN) return "program (by its place)";
  const isKnown = ({ start: other, flags }: Vma) => other > start && (flags & VM.UNKNOWN) === 0;
  return mm.vmas.some(isKnown) ? "library (by its place)" : "[stack] or vdso (by its place)";
}
