/** Places and their values in the words of mm/: "PMD 0: HINT set", "frame 5 references 2 → 3". */
import { BLOCK, FRAME } from "../kernel/mm/frames.ts";
import { PMD, PTE } from "../kernel/mm/page-table.ts";

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

/** What a place is called, and how its change is told. First come first shown: the list is in order of weight. */
type Telling = readonly [RegExp, (index: number, before: number, after: number) => string | undefined];

const TELLINGS: readonly Telling[] = [
  [/^pt\.pmd\.kind$/, (i, a, b) => `PMD ${i}: ${nameOfValue(PMD, a)} → ${nameOfValue(PMD, b)}`],
  [/^pt\.pmd\.flags$/, (i, a, b) => `PMD ${i}: ${flagChanges(PTE, a, b)}`],
  [/^pt\.pmd\.value$/, (i, a, b) => `PMD ${i}: frame or table ${a} → ${b}`],
  [/^pt\.pteFlags$/, (i, a, b) => (b === 0 ? `PTE ${i}: none` : `PTE ${i}: ${flagChanges(PTE, a, b)}`)],
  [/^pt\.ptePfn$/, (i, a, b) => `PTE ${i}: frame ${a} → ${b}`],
  [/^memory\.contents$/, (i, a, b) => `frame ${i} holds ${held(b)} (held ${held(a)})`],
  [/^frames\.refCount$/, (i, a, b) => `frame ${i}: references ${a} → ${b}`],
  [/^blocks\.hugeMapCount$/, (i, a, b) => `huge page of block ${i}: PMD mappings ${a} → ${b}`],
  [/^frames\.mapCount$/, (i, a, b) => `frame ${i}: PTE mappings ${a} → ${b}`],
  [/^frames\.flags$/, (i, a, b) => `frame ${i}: ${flagChanges(FRAME, a, b)}`],
  [/^blocks\.flags$/, (i, a, b) => `block ${i}: ${flagChanges(BLOCK, a, b)}`],
  [
    /^memory\.tlbFrame$/,
    (i, _a, b) => (b === 0 ? `a TLB forgets entry ${i}` : `TLB entry ${i}: frame ${b - 1}`),
  ],
];

function held(value: number): string {
  return value === -1 ? "garbage" : value === 0 ? "zeroes" : String(value);
}

export interface Change {
  readonly text: string;
  /** Smaller weighs more. */
  readonly weight: number;
}

/** How a change is told; undefined for what nobody reading a race wants to know (list links, look-up caches). */
export function tellChange(place: string, before: unknown, after: unknown): Change | undefined {
  if (typeof before !== "number" || typeof after !== "number" || before === after) return undefined;
  const at = /^(.*?)\[(\d+)\]$/.exec(place);
  const name = at?.[1] ?? place;
  for (const [weight, [pattern, tell]] of TELLINGS.entries()) {
    if (!pattern.test(name)) continue;
    const text = tell(Number(at?.[2] ?? 0), before, after);
    return text === undefined ? undefined : { text, weight };
  }
  return undefined;
}
