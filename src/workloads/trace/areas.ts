/**
 * Where in its processes a trace happens: stretches of neighbouring 2 MiB regions that were used, with how
 * much and how hot.
 */
import { REF, type RefBatch, type TraceRegions } from "../records.ts";
import { SLOT_BYTES } from "./sink.ts";

/** A stretch of used memory of one process. */
export interface AreaSummary {
  readonly process: number;
  /** First byte, of a 2 MiB region. */
  readonly start: number;
  readonly bytes: number;
  /** Distinct pages used in it. */
  readonly pages: number;
  /** Single accesses of data and instructions; faults where the trace holds faults. */
  readonly references: number;
}

export interface AreaCounts {
  /** Accesses of each slot. */
  references: Float64Array;
  /** Records of data that came first to their page, and those of them that read first. */
  firstData: number;
  firstReads: number;
}

export function makeAreaCounts(): AreaCounts {
  return { references: new Float64Array(64), firstData: 0, firstReads: 0 };
}

export function countAreas(counts: AreaCounts, batch: RefBatch, slots: number): void {
  if (slots > counts.references.length) {
    const grown = new Float64Array(Math.max(slots, counts.references.length * 2));
    grown.set(counts.references);
    counts.references = grown;
  }
  const { page, reads, writes, kind, length } = batch;
  const { references } = counts;
  for (let i = 0; i < length; i++) {
    references[page[i]! >>> 9]! += reads[i]! + writes[i]!;
    const k = kind[i]!;
    const use = k & REF.KIND;
    if ((k & REF.FIRST) === 0 || use === REF.EXECUTE) continue;
    counts.firstData++;
    if (use !== REF.WRITE) counts.firstReads++;
  }
}

/** Stretches of neighbouring slots, those with most pages first. */
export function areasOf(
  counts: AreaCounts,
  regions: TraceRegions,
  pagesOfSlot: (slot: number) => number,
): AreaSummary[] {
  const { process, region } = regions;
  const slots = Array.from({ length: regions.count }, (_, slot) => slot).filter(
    (slot) => pagesOfSlot(slot) > 0,
  );
  slots.sort((a, b) => process[a]! - process[b]! || region[a]! - region[b]!);
  const areas: { process: number; start: number; bytes: number; pages: number; references: number }[] = [];
  for (const slot of slots) {
    const last = areas.at(-1);
    const start = region[slot]! * SLOT_BYTES;
    const goesOn = last !== undefined && last.process === process[slot] && last.start + last.bytes === start;
    const area = goesOn ? last : { process: process[slot]!, start, bytes: 0, pages: 0, references: 0 };
    if (!goesOn) areas.push(area);
    area.bytes += SLOT_BYTES;
    area.pages += pagesOfSlot(slot);
    area.references += counts.references[slot] ?? 0;
  }
  return areas.sort((a, b) => b.pages - a.pages || a.process - b.process || a.start - b.start);
}
