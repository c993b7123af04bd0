/**
 * How many entries the TLBs have, guessed from a pointer chase: a ring of one load a page against a ring of
 * as many loads side by side. What the first costs beyond the second is translation.
 *
 *     ns │                    ╭────  walks
 *        │       ╭────────────╯      second level
 *        │───────╯                   first level
 *        └───────┴────────────┴───▶ pages
 *               reach        reach
 */
import type { LevelSpec } from "../kernel/tlb/level.ts";
import type { TlbSpec } from "../kernel/tlb/tlb.ts";

/** Nanoseconds of a load by pages (or lines) of the ring, each repetition. */
export type Chase = ReadonlyMap<number, readonly number[]>;

/** The last ring that fits and the first that does not, and what it says of the level. */
export interface Reach {
  readonly fits: number;
  readonly exceeds: number;
  /** The level as the guess has it; the base's own when that lies within what was seen. */
  readonly level: LevelSpec;
  /** Method and spread, for people. */
  readonly source: string;
}

export interface Reaches {
  readonly l1Small: Reach | undefined;
  readonly l2: Reach | undefined;
}

/**
 * Rings that fit the first level of every processor known, and those that fit the second but not the first.
 */
const FIRST = [16, 32] as const;
const SECOND = [256, 512] as const;
/** Steps below this are noise. */
const STEP_NS = 0.3;
/** What walks cost must stand out from the second level by this factor. */
const WALK_FACTOR = 4;
/** A cyclic ring outgrows a level of some ways little by little: so near is the same. */
const NEAR = 1.35;
const WAYS = [12, 16] as const;
const ENTRIES_MIN = 128;
const ENTRIES_MAX = 16384;

const least = (values: readonly number[]): number => Math.min(...values);

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** What translation costs, by pages, in order. */
function translationNs(chase: Chase, dense: Chase): (readonly [pages: number, ns: number])[] {
  const sizes = [...chase.keys()].filter((pages) => dense.has(pages)).sort((a, b) => a - b);
  return sizes.map((pages) => [pages, least(chase.get(pages)!) - least(dense.get(pages)!)]);
}

type Curve = ReturnType<typeof translationNs>;

const levelOf = (curve: Curve, [from, to]: readonly [number, number]): number =>
  median(curve.filter(([pages]) => pages >= from && pages <= to).map(([, ns]) => ns));

/** Where the curve goes beyond `ns` and stays there: the size before, and that size. */
function crossing(curve: Curve, ns: number): readonly [number, number] | undefined {
  const last = curve.findLastIndex(([, each]) => each <= ns);
  const before = curve[last];
  const behind = curve[last + 1];
  return before === undefined || behind === undefined ? undefined : [before[0], behind[0]];
}

const nearest = (sizes: readonly number[], wanted: number): number =>
  sizes.reduce((a, b) => (Math.abs(Math.log(b / wanted)) < Math.abs(Math.log(a / wanted)) ? b : a));

function firstLevel(curve: Curve, base: LevelSpec): Reach | undefined {
  const [low, high] = [levelOf(curve, FIRST), levelOf(curve, SECOND)];
  if (!(high - low >= STEP_NS)) return undefined;
  const found = crossing(
    curve.filter(([pages]) => pages <= SECOND[1]),
    (low + high) / 2,
  );
  if (found === undefined) return undefined;
  const [fits, exceeds] = found;
  const isOne = base.ways === base.entries;
  const sets = [4, 8, 16, 32, 64].map((count) => count * base.ways);
  const guess = isOne
    ? { entries: Math.min(254, fits), ways: Math.min(254, fits) }
    : { ...base, entries: nearest(sets, fits) };
  const level = base.entries >= fits && base.entries < exceeds ? base : guess;
  const source =
    `a load costs ${low.toFixed(2)} ns more than in the cache up to ${fits} pages, ` +
    `${high.toFixed(2)} ns from ${exceeds} on`;
  return { fits, exceeds, level, source };
}

function secondLevel(curve: Curve, base: LevelSpec): Reach | undefined {
  const low = levelOf(curve, [SECOND[0], SECOND[1] * 2]);
  const walk = curve.at(-1)?.[1] ?? 0;
  if (!(low > 0 && walk >= low * WALK_FACTOR)) return undefined;
  const found = crossing(curve, Math.sqrt(low * walk));
  if (found === undefined) return undefined;
  const [fits, exceeds] = found;
  const middle = Math.sqrt(fits * exceeds);
  const sizes: number[] = [];
  for (const ways of WAYS) for (let n = ways; n <= ENTRIES_MAX; n *= 2) if (n >= ENTRIES_MIN) sizes.push(n);
  const entries = nearest(sizes, middle);
  const ways = WAYS.find((each) => Number.isInteger(Math.log2(entries / each)))!;
  const isNear = Math.max(base.entries / middle, middle / base.entries) <= NEAR;
  const source =
    `translation costs ${low.toFixed(1)} ns at 256 to 1024 pages, ` +
    `${walk.toFixed(0)} ns at ${curve.at(-1)![0]}; ` +
    `it passes the mean of their logarithms between ${fits} and ${exceeds} pages`;
  return { fits, exceeds, level: isNear ? base : { entries, ways }, source };
}

/** What a chase says of the TLBs; `base` is believed where it lies within what was seen. */
export function reachesOf(chase: Chase, dense: Chase, base: TlbSpec): Reaches {
  const curve = translationNs(chase, dense);
  return { l1Small: firstLevel(curve, base.l1Small), l2: secondLevel(curve, base.l2) };
}

/** The section of a hardware description; empty when nothing was seen. */
export function tlbLines({ l1Small, l2 }: Reaches): string[] {
  const lines: string[] = [];
  const add = (name: string, reach: Reach | undefined): void => {
    if (reach === undefined) return;
    const { level, source } = reach;
    lines.push(`# guessed: ${source}`);
    const huge = "hugeWays" in level ? `, hugeWays = ${String(level.hugeWays)}` : "";
    lines.push(`${name} = { entries = ${level.entries}, ways = ${level.ways}${huge} }`);
  };
  add("l1Small", l1Small);
  add("l2", l2);
  return lines.length === 0 ? [] : ["[tlb]", ...lines, ""];
}
