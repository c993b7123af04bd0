/** Places and their values in the words of mm/: "PMD 0: HINT set", "frame 5 references 2 → 3". */
import { BLOCK, FRAME } from "../kernel/mm/frames.ts";
import { PMD, PTE, WAS_HUGE } from "../kernel/mm/page-table.ts";
import { MMS_MAX, POISON } from "./memory.ts";

type Names = Readonly<Record<string, number>>;

/** "HINT set, YOUNG cleared". */
function flagChanges(names: Names, before: number, after: number): string {
  const parts: string[] = [];
  for (const [name, bit] of Object.entries(names)) {
    if ((before & bit) === (after & bit)) continue;
    parts.push(`${name} ${(after & bit) !== 0 ? "set" : "cleared"}`);
  }
  return parts.join(", ");
}

function nameOfValue(names: Names, value: number): string {
  return Object.entries(names).find(([, each]) => each === value)?.[0] ?? String(value);
}

/** Flags of a frame that say what it is to the allocator: told by its references already. */
const { HEAD, TAIL, PCP, BUDDY, ...TOLD_FRAME_FLAGS } = FRAME;
const UNTOLD = HEAD | TAIL | PCP | BUDDY;

function frameFlags(before: number, after: number): string {
  return flagChanges(TOLD_FRAME_FLAGS, before & ~UNTOLD, after & ~UNTOLD);
}

/**
 * What a place is called, and how its change is told. First come first shown: the list is in order of weight.
 */
type Telling = readonly [RegExp, (index: number, before: number, after: number) => string];

const TELLINGS: readonly Telling[] = [
  [/^pt\.pmd\.kind$/, (i, a, b) => `PMD ${i}: ${nameOfValue(PMD, a)} → ${nameOfValue(PMD, b)}`],
  [/^pt\.pmd\.flags$/, (i, a, b) => told(`PMD ${i}`, flagChanges(PMD_FLAGS, a, b))],
  [/^pt\.pmd\.value$/, (i, a, b) => `PMD ${i}: points at ${b}, not at ${a}`],
  [/^pt\.pteFlags$/, (i, a, b) => told(`PTE ${i}`, b === 0 ? "none" : flagChanges(PTE, a, b))],
  [/^pt\.ptePfn$/, (i, a, b) => `PTE ${i}: frame ${a} → ${b}`],
  [/^memory\.contents$/, (i, a, b) => `frame ${i} holds ${held(b)}, it held ${held(a)}`],
  [/^frames\.refCount$/, (i, a, b) => `frame ${i}: references ${a} → ${b}`],
  [/^blocks\.hugeMapCount$/, (i, a, b) => `huge page of block ${i}: PMD mappings ${a} → ${b}`],
  [/^frames\.mapCount$/, (i, a, b) => `frame ${i}: PTE mappings ${a} → ${b}`],
  [/^frames\.flags$/, (i, a, b) => told(`frame ${i}`, frameFlags(a, b))],
  [/^blocks\.flags$/, (i, a, b) => told(`block ${i}`, flagChanges(BLOCK, a, b))],
];

/** Those of an entry, and the mark of a table whose pages came as a huge page. */
const { FILE: _file, ...HUGE_FLAGS } = PTE;
const PMD_FLAGS = { ...HUGE_FLAGS, WAS_HUGE };

function told(what: string, changes: string): string {
  return changes === "" ? "" : `${what}: ${changes}`;
}

function held(value: number): string {
  return value === -1 ? "garbage" : value === 0 ? "zeroes" : String(value);
}

/** A place, what stood there before a step, and what stands there after it. */
export interface Written {
  readonly place: string;
  readonly before: unknown;
  after: unknown;
}

function weigh(place: string): number {
  const name = place.replace(/\[\d+\]$/, "");
  return TELLINGS.findIndex(([pattern]) => pattern.test(name));
}

/** How a change is told; "" for what nobody reading a race wants to know (list links, look-up caches). */
function tellOne({ place, before, after }: Written, weight: number): string {
  if (typeof before !== "number" || typeof after !== "number" || before === after) return "";
  // A frame that is freed: its references say so.
  if (after === POISON && place.startsWith("memory.contents")) return "";
  const index = Number(/\[(\d+)\]$/.exec(place)?.[1] ?? 0);
  return TELLINGS[weight]![1](index, before, after);
}

/** What a step changed, weightiest first. */
export function tellChanges(written: readonly Written[], cpus: number, pages: number): string[] {
  const weighed = written.map((each) => ({ each, weight: weigh(each.place) }));
  weighed.sort((a, b) => a.weight - b.weight);
  const lines = weighed.filter(({ weight }) => weight >= 0).map(({ each, weight }) => tellOne(each, weight));
  return [...lines.filter((line) => line !== ""), ...tellTlb(written, cpus, pages)];
}

/** "the TLB of CPU 1 forgets pages 0, 1". */
function tellTlb(written: readonly Written[], cpus: number, pages: number): string[] {
  const lines: string[] = [];
  for (let cpu = 0; cpu < cpus; cpu++) {
    const forgotten: number[] = [];
    const filled: string[] = [];
    for (const { place, after } of written) {
      const index = Number(/^memory\.tlbFrame\[(\d+)\]$/.exec(place)?.[1] ?? -1);
      if (index < 0 || Math.floor(index / (MMS_MAX * pages)) !== cpu) continue;
      if (after === 0) forgotten.push(index % pages);
      else filled.push(`page ${index % pages} → frame ${Number(after) - 1}`);
    }
    if (forgotten.length > 0) lines.push(`the TLB of CPU ${cpu} forgets page ${forgotten.join(", ")}`);
    if (filled.length > 0) lines.push(`the TLB of CPU ${cpu} remembers ${filled.join(", ")}`);
  }
  return lines;
}
