/**
 * One level of one CPU's translation cache: tags in sets, true LRU.
 *
 *     window of a set   [ . . . . . | newest … oldest | old . . ]      `newest` says where the set begins
 *                                 ◀── a new entry goes in front, and the oldest falls out behind
 *
 * A tag is `key << 1 | writable`. The order of the tags in a set *is* the recency, so a look-up needs no
 * stamps. Tag 0xffffffff is empty: no key is 0x7fffffff. Most misses need no search: `counts` knows for each
 * hash bucket of keys how many entries lie in it, and where there are none, the set slides by one place
 * instead of shifting all its tags. (Measured on random pages: about a quarter less time a reference;
 * hits are found fastest by shifting while searching.) Sets of up to sixteen ways are always shifted: there
 * the loop without a call, `engine/reference-loop.ts`, is faster than any search that is saved.
 *
 * Models:       first- and second-level data TLBs and paging-structure caches of x86 processors.
 * Not modelled: pseudo-LRU trees, hashed set indexes, victim buffers, ports and banks.
 */
import { assert } from "../../lib/assert.ts";

export interface LevelSpec {
  readonly entries: number;
  readonly ways: number;
}

export const EMPTY = -1;

/** Sets of at most this many ways do not slide. */
const SHIFTED_WAYS_MAX = 16;
/** A set slides at least so many times before it is copied back to the end of its window. */
const SLIDES_MIN = 20;
/** Buckets for each entry: as few buckets have entries, so few misses are searched for in vain. */
const BUCKETS_PER_ENTRY = 8;
/** Most ways: a count of a bucket fits a byte. */
const WAYS_MAX = 254;

export interface Level {
  readonly ways: number;
  /** Sets − 1: the set of an entry is its page number's low bits. */
  readonly setMask: number;
  /** Where its places in `tags` begin. */
  readonly base: number;
  /** Places of a set's window in `tags`. */
  readonly windowPlaces: number;
  readonly tags: Int32Array;
  /** Place of each set's newest tag; the others follow it. */
  readonly newest: Int32Array;
  /** Whether sets slide and `counts` are kept. */
  readonly slides: boolean;
  /** Buckets − 1: the bucket of a key is its low bits, of which those of the set are a part. */
  readonly bucketMask: number;
  /** How many entries lie in each bucket. */
  readonly counts: Uint8Array;
}

/** Places of `tags` that a level needs. */
function placesOf({ entries, ways }: LevelSpec): number {
  const windowPlaces = ways > SHIFTED_WAYS_MAX ? ways + Math.max(SLIDES_MIN, ways) : ways;
  return (entries / ways) * windowPlaces;
}

/** Levels with empty sets, the tags of one behind those of the other in one column. */
export function makeLevels(specs: readonly LevelSpec[]): readonly Level[] {
  const tags = new Int32Array(specs.reduce((places, spec) => places + placesOf(spec), 0));
  let base = 0;
  return specs.map((spec) => {
    const level = makeLevel(spec, tags, base);
    base += placesOf(spec);
    return level;
  });
}

/** Makes a level with empty sets, its tags from place `base` of a column on. */
export function makeLevel(spec: LevelSpec, tags = new Int32Array(placesOf(spec)), base = 0): Level {
  const { entries, ways } = spec;
  const sets = entries / ways;
  assert(Number.isInteger(sets) && sets >= 1, "the entries of a level fill whole sets");
  assert((sets & (sets - 1)) === 0, "a level has a power of two of sets");
  assert(ways <= WAYS_MAX, "a set has at most 254 ways");
  const slides = ways > SHIFTED_WAYS_MAX;
  const windowPlaces = slides ? ways + Math.max(SLIDES_MIN, ways) : ways;
  const buckets = slides ? 2 ** Math.ceil(Math.log2(entries * BUCKETS_PER_ENTRY)) : 1;
  const level: Level = {
    ways,
    setMask: sets - 1,
    windowPlaces,
    base,
    tags,
    newest: new Int32Array(sets),
    slides,
    bucketMask: buckets - 1,
    counts: new Uint8Array(buckets),
  };
  clearLevel(level);
  return level;
}

/** Forgets all entries. */
export function clearLevel(level: Level): void {
  const { newest, base, windowPlaces, ways } = level;
  level.tags.fill(EMPTY, base, base + newest.length * windowPlaces);
  level.counts.fill(0);
  for (let set = 0; set < newest.length; set += 1) newest[set] = base + (set + 1) * windowPlaces - ways;
}

/**
 * Looks a key up in its set and makes room for it in one go: afterwards the newest place is the key's,
 * whether it was here or not. Returns the tag that was found, or EMPTY: then the oldest entry is gone, and
 * the key is in as one that may be written; the caller says if not. `wanted` is `key << 1 | 1`.
 */
export function bring(level: Level, index: number, wanted: number): number {
  const { tags, newest, counts, ways } = level;
  const set = index & level.setMask;
  const at = newest[set]!;
  if (!level.slides) return shiftIn(tags, at, ways, wanted);
  const bucket = (wanted >>> 1) & level.bucketMask;
  let oldest = tags[at + ways - 1]!;
  if (counts[bucket] === 0) {
    slide(level, set, at, wanted);
  } else {
    const found = shiftIn(tags, at, ways, wanted);
    if (found !== EMPTY) return found;
  }
  counts[bucket]! += 1;
  if (oldest !== EMPTY) {
    oldest = (oldest >>> 1) & level.bucketMask;
    counts[oldest]! -= 1;
  }
  return EMPTY;
}

/** Puts a tag in front of a set, and so the oldest out of it. */
function slide(level: Level, set: number, from: number, tag: number): void {
  const { tags, newest, ways } = level;
  const first = level.base + set * level.windowPlaces;
  let at = from;
  if (at === first) {
    at = first + level.windowPlaces - ways;
    for (let i = 1; i < ways; i += 1) tags[at + ways - i] = tags[first + ways - i - 1]!;
  } else at -= 1;
  tags[at] = tag;
  newest[set] = at;
}

/**
 * Searches `ways` tags from `set` on, and shifts them by one place meanwhile, so that the newest place is
 * free for what was found, or for what was not. Four places a step are what makes long sets fast.
 */
export function shiftIn(tags: Int32Array, set: number, ways: number, wanted: number): number {
  let found = EMPTY;
  let newer = wanted;
  let at = set;
  for (const end = set + ways; at + 3 < end; at += 4) {
    const a = tags[at]!;
    const b = tags[at + 1]!;
    const c = tags[at + 2]!;
    const d = tags[at + 3]!;
    tags[at] = newer;
    if ((a | 1) === wanted) {
      found = a;
      break;
    }
    tags[at + 1] = a;
    if ((b | 1) === wanted) {
      found = b;
      break;
    }
    tags[at + 2] = b;
    if ((c | 1) === wanted) {
      found = c;
      break;
    }
    tags[at + 3] = c;
    if ((d | 1) === wanted) {
      found = d;
      break;
    }
    newer = d;
  }
  if (found === EMPTY && (ways & 3) !== 0) found = shiftRest(tags, at, set + ways, newer, wanted);
  if (found !== EMPTY) tags[set] = found;
  return found;
}

/** The last one to three places of a set. */
function shiftRest(tags: Int32Array, from: number, end: number, before: number, wanted: number): number {
  let newer = before;
  for (let at = from; at < end; at += 1) {
    const tag = tags[at]!;
    tags[at] = newer;
    if ((tag | 1) === wanted) return tag;
    newer = tag;
  }
  return EMPTY;
}

/** The place of the newest entry of the set that an index falls in. */
export function newestPlace(level: Level, index: number): number {
  return level.newest[index & level.setMask]!;
}

/**
 * Where the entry of a key is, newest in its set now; -1: not here. The entry found may still be one that
 * is not writable.
 */
export function findInLevel(level: Level, index: number, wanted: number): number {
  const set = newestPlace(level, index);
  const at = peekInLevel(level, index, wanted);
  if (at < 0) return -1;
  moveToFront(level, set, at);
  return set;
}

function moveToFront(level: Level, set: number, at: number): void {
  const tag = level.tags[at]!;
  level.tags.copyWithin(set + 1, set, at);
  level.tags[set] = tag;
}

/** Puts an entry in, newest of its set; the oldest goes. The key must not be here. */
export function insertInLevel(level: Level, index: number, tag: number): void {
  bring(level, index, tag | 1);
  level.tags[newestPlace(level, index)] = tag;
}

/** Puts an entry in, newest of its set, in exchange for the one at a place. The key must not be here. */
export function exchangeInLevel(level: Level, index: number, at: number, tag: number): void {
  uncount(level, level.tags[at]!);
  level.tags[at] = tag;
  if (level.slides) level.counts[(tag >>> 1) & level.bucketMask]! += 1;
  moveToFront(level, newestPlace(level, index), at);
}

/** The tags of all entries, set by set, newest first: for those who check them. */
export function tagsOf(level: Level): number[] {
  const tags: number[] = [];
  for (const set of level.newest) {
    for (let at = set; at < set + level.ways; at += 1) {
      if (level.tags[at] !== EMPTY) tags.push(level.tags[at]!);
    }
  }
  return tags;
}

/** Where an entry is, without making it the newest; -1: not here. */
export function peekInLevel(level: Level, index: number, wanted: number): number {
  if (level.slides && level.counts[(wanted >>> 1) & level.bucketMask] === 0) return -1;
  const set = newestPlace(level, index);
  for (let at = set; at < set + level.ways; at += 1) if ((level.tags[at]! | 1) === wanted) return at;
  return -1;
}

/** Forgets the entry of one key, if it is here; its place becomes the oldest of the set. */
export function dropFromLevel(level: Level, index: number, wanted: number): void {
  const at = peekInLevel(level, index, wanted);
  if (at >= 0) removeAt(level, newestPlace(level, index), at);
}

/** Forgets the entries with keys first … last. */
export function dropKeys(level: Level, first: number, last: number): void {
  for (const set of level.newest) {
    for (let at = set + level.ways - 1; at >= set; at -= 1) {
      const key = level.tags[at]! >>> 1;
      if (key >= first && key <= last) removeAt(level, set, at);
    }
  }
}

/**
 * Forgets the entries whose key, from `base` up to `end` and divided by 2^shift, has `owner` in the column
 * `ownerOf`: all entries of one address space.
 */
export function dropOwned(
  level: Level,
  keys: { readonly base: number; readonly end: number; readonly shift: number },
  ownerOf: Int32Array,
  owner: number,
): void {
  for (const set of level.newest) {
    for (let at = set + level.ways - 1; at >= set; at -= 1) {
      const key = level.tags[at]! >>> 1;
      if (key < keys.base || key >= keys.end) continue;
      if (ownerOf[(key - keys.base) >>> keys.shift] === owner) removeAt(level, set, at);
    }
  }
}

/** Empties one place of a set. Going through places from the last to the first, each is still met once. */
function removeAt(level: Level, set: number, at: number): void {
  const last = set + level.ways - 1;
  uncount(level, level.tags[at]!);
  level.tags.copyWithin(at, at + 1, last + 1);
  level.tags[last] = EMPTY;
}

/** An entry is about to go. */
function uncount(level: Level, tag: number): void {
  if (level.slides && tag !== EMPTY) level.counts[(tag >>> 1) & level.bucketMask]! -= 1;
}
