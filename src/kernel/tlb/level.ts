/**
 * One level of a translation cache, for all CPUs: tags in sets, true LRU, as one flat column.
 *
 *     set-associative (≤ 16 ways)          fully associative (more ways)
 *     tags:  [ newest … oldest ] a set     nodes in a recency list, found through small hash buckets
 *
 * A tag is `key << 1 | writable`. The order of the tags in a set *is* the recency, so a look-up needs no
 * stamps. Tag 0xffffffff is empty: no key is 0x7fffffff.
 *
 * Models:       first- and second-level data TLBs and paging-structure caches of x86 processors.
 * Not modelled: pseudo-LRU trees, hashed set indexes, victim buffers, ports and banks.
 */
import { assert } from "../../lib/assert.ts";

export interface LevelSpec {
  readonly entries: number;
  readonly ways: number;
}

/** Sets with more ways than this are searched through hash buckets instead of one by one. */
const SCANNED_WAYS_MAX = 16;
/** Hash buckets of a fully associative level, for each CPU. */
const BUCKETS = 256;
/** No node: ends lists and chains. */
const NIL = 255;
export const EMPTY = -1;

export interface Level {
  readonly entries: number;
  readonly ways: number;
  /** Sets − 1: the set of an entry is its page number's low bits. */
  readonly setMask: number;
  /** True when the level is one large set that is searched through buckets. */
  readonly linked: boolean;
  /** CPU × entries + set × ways + recency; for a linked level CPU × entries + node. */
  readonly tags: Int32Array;
  /** Where `tags` begins in the array that it is a part of. */
  readonly base: number;
  /** Recency list of a linked level: newer and older neighbour of each node, and its ends for each CPU. */
  readonly newer: Uint8Array;
  readonly older: Uint8Array;
  readonly newest: Uint8Array;
  readonly oldest: Uint8Array;
  /** First node of each bucket, and the next one in the same bucket. */
  readonly bucket: Uint8Array;
  readonly chain: Uint8Array;
}

/** Places that a level takes in an array of tags. */
export function levelPlaces(spec: LevelSpec, cpus: number): number {
  return cpus * spec.entries;
}

/** Makes a level with empty sets, its tags at `base` of an array that levels may share. */
export function makeLevel(
  spec: LevelSpec,
  cpus: number,
  shared = new Int32Array(levelPlaces(spec, cpus)),
  base = 0,
): Level {
  const { entries, ways } = spec;
  const sets = entries / ways;
  assert(Number.isInteger(sets) && sets >= 1, "the entries of a level fill whole sets");
  assert((sets & (sets - 1)) === 0, "a level has a power of two of sets");
  const linked = ways > SCANNED_WAYS_MAX;
  assert(linked || ways % 4 === 0, "sets of up to 16 ways have 4, 8, 12 or 16");
  assert(!linked || (sets === 1 && ways < NIL), "a set of more than 16 ways is the level's only one");
  const nodes = linked ? cpus * entries : 0;
  const level: Level = {
    entries,
    ways,
    setMask: sets - 1,
    linked,
    tags: shared.subarray(base, base + levelPlaces(spec, cpus)),
    base,
    newer: new Uint8Array(nodes),
    older: new Uint8Array(nodes),
    newest: new Uint8Array(cpus),
    oldest: new Uint8Array(cpus),
    bucket: new Uint8Array(linked ? cpus * BUCKETS : 0),
    chain: new Uint8Array(nodes),
  };
  for (let cpu = 0; cpu < cpus; cpu += 1) clearLevel(level, cpu);
  return level;
}

/** Forgets all entries of a CPU. */
export function clearLevel(level: Level, cpu: number): void {
  const first = cpu * level.entries;
  level.tags.fill(EMPTY, first, first + level.entries);
  if (!level.linked) return;
  level.bucket.fill(NIL, cpu * BUCKETS, (cpu + 1) * BUCKETS);
  for (let node = 0; node < level.entries; node += 1) {
    level.newer[first + node] = node === 0 ? NIL : node - 1;
    level.older[first + node] = node === level.entries - 1 ? NIL : node + 1;
    level.chain[first + node] = NIL;
  }
  level.newest[cpu] = 0;
  level.oldest[cpu] = level.entries - 1;
}

/**
 * Looks a key up in the set of `ways` tags at `set` and makes room for it in one go: afterwards the newest
 * place, `tags[set]`, is the key's, whether it was here or not. Returns the tag that was found, or EMPTY:
 * then the oldest entry is gone, and the caller writes the newest place. `wanted` is `key << 1 | 1`.
 * Searching and shifting at once, four places a step, is what makes long sets fast.
 */
export function shiftIn(tags: Int32Array, set: number, ways: number, wanted: number): number {
  let found = EMPTY;
  let newer = wanted;
  for (let at = set; at < set + ways; at += 4) {
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
  if (found !== EMPTY) tags[set] = found;
  return found;
}

/** The newest place of the set that an index falls in, for levels that are not linked. */
export function newestPlace(level: Level, cpu: number, index: number): number {
  return cpu * level.entries + (index & level.setMask) * level.ways;
}

/**
 * Where the entry of a key is, newest in its set now; -1: not here. The entry found may still be one that
 * is not writable.
 */
export function findInLevel(level: Level, cpu: number, index: number, wanted: number): number {
  if (level.linked) return findLinked(level, cpu, wanted);
  const set = newestPlace(level, cpu, index);
  const at = peekInLevel(level, cpu, index, wanted);
  if (at < 0) return -1;
  const tag = level.tags[at]!;
  for (let to = at; to > set; to -= 1) level.tags[to] = level.tags[to - 1]!;
  level.tags[set] = tag;
  return set;
}

/** Puts an entry in, newest of its set; the oldest goes. The key must not be here. */
export function insertInLevel(level: Level, cpu: number, index: number, tag: number): void {
  if (level.linked) {
    insertLinked(level, cpu, tag);
    return;
  }
  const set = newestPlace(level, cpu, index);
  shiftIn(level.tags, set, level.ways, tag | 1);
  level.tags[set] = tag;
}

/**
 * Looks a key up in a cache of upper levels: true if it is here. In any case it is its set's newest
 * afterwards.
 */
export function touchInLevel(level: Level, cpu: number, key: number): boolean {
  const set = newestPlace(level, cpu, key);
  return shiftIn(level.tags, set, level.ways, (key << 1) | 1) !== EMPTY;
}

/** Where an entry is, without making it the newest; -1: not here. */
export function peekInLevel(level: Level, cpu: number, index: number, wanted: number): number {
  if (level.linked) return nodeOf(level, cpu, wanted);
  const set = newestPlace(level, cpu, index);
  for (let at = set; at < set + level.ways; at += 1) if ((level.tags[at]! | 1) === wanted) return at;
  return -1;
}

/** Forgets the entry of one key, if it is here; its place becomes the oldest of the set. */
export function dropFromLevel(level: Level, cpu: number, index: number, wanted: number): void {
  const at = peekInLevel(level, cpu, index, wanted);
  if (at >= 0) removeAt(level, cpu, at);
}

/** Forgets the entries with keys first … last. */
export function dropKeys(level: Level, cpu: number, first: number, last: number): void {
  const start = cpu * level.entries;
  for (let at = start + level.entries - 1; at >= start; at -= 1) {
    const key = level.tags[at]! >>> 1;
    if (key >= first && key <= last) removeAt(level, cpu, at);
  }
}

/**
 * Forgets the entries whose key, from `base` up to `end` and divided by 2^shift, has `owner` in the column
 * `ownerOf`: all entries of one address space.
 */
export function dropOwned(
  level: Level,
  cpu: number,
  keys: { readonly base: number; readonly end: number; readonly shift: number },
  ownerOf: Int32Array,
  owner: number,
): void {
  const start = cpu * level.entries;
  for (let at = start + level.entries - 1; at >= start; at -= 1) {
    const key = level.tags[at]! >>> 1;
    if (key < keys.base || key >= keys.end) continue;
    if (ownerOf[(key - keys.base) >>> keys.shift] === owner) removeAt(level, cpu, at);
  }
}

/** Empties one place. Going through places from the last to the first, each is still met once. */
function removeAt(level: Level, cpu: number, at: number): void {
  if (level.linked) {
    removeLinked(level, cpu, at);
    return;
  }
  const start = cpu * level.entries;
  const last = at + level.ways - 1 - ((at - start) % level.ways);
  for (let to = at; to < last; to += 1) level.tags[to] = level.tags[to + 1]!;
  level.tags[last] = EMPTY;
}

function bucketOf(cpu: number, tag: number): number {
  return cpu * BUCKETS + ((tag >>> 1) & (BUCKETS - 1));
}

/** Place of a linked level's entry, or -1. */
function nodeOf(level: Level, cpu: number, wanted: number): number {
  const start = cpu * level.entries;
  let node = level.bucket[bucketOf(cpu, wanted)]!;
  while (node !== NIL) {
    if ((level.tags[start + node]! | 1) === wanted) return start + node;
    node = level.chain[start + node]!;
  }
  return -1;
}

function findLinked(level: Level, cpu: number, wanted: number): number {
  const at = nodeOf(level, cpu, wanted);
  if (at < 0) return -1;
  const node = at - cpu * level.entries;
  if (level.newest[cpu] !== node) {
    unlink(level, cpu, node);
    linkNewest(level, cpu, node);
  }
  return at;
}

function insertLinked(level: Level, cpu: number, tag: number): void {
  const start = cpu * level.entries;
  const node = level.oldest[cpu]!;
  if (level.tags[start + node] !== EMPTY) unchain(level, cpu, node);
  level.tags[start + node] = tag;
  const bucket = bucketOf(cpu, tag);
  level.chain[start + node] = level.bucket[bucket]!;
  level.bucket[bucket] = node;
  unlink(level, cpu, node);
  linkNewest(level, cpu, node);
}

function removeLinked(level: Level, cpu: number, at: number): void {
  const start = cpu * level.entries;
  const node = at - start;
  unchain(level, cpu, node);
  level.tags[at] = EMPTY;
  if (level.oldest[cpu] === node) return;
  unlink(level, cpu, node);
  const oldest = level.oldest[cpu]!;
  level.older[start + oldest] = node;
  level.newer[at] = oldest;
  level.older[at] = NIL;
  level.oldest[cpu] = node;
}

/** Takes a node out of its bucket. */
function unchain(level: Level, cpu: number, node: number): void {
  const start = cpu * level.entries;
  const bucket = bucketOf(cpu, level.tags[start + node]!);
  let at = level.bucket[bucket]!;
  if (at === node) {
    level.bucket[bucket] = level.chain[start + node]!;
    return;
  }
  while (level.chain[start + at] !== node) at = level.chain[start + at]!;
  level.chain[start + at] = level.chain[start + node]!;
}

/** Takes a node out of the recency list. */
function unlink(level: Level, cpu: number, node: number): void {
  const start = cpu * level.entries;
  const newer = level.newer[start + node]!;
  const older = level.older[start + node]!;
  if (newer === NIL) level.newest[cpu] = older;
  else level.older[start + newer] = older;
  if (older === NIL) level.oldest[cpu] = newer;
  else level.newer[start + older] = newer;
}

function linkNewest(level: Level, cpu: number, node: number): void {
  const start = cpu * level.entries;
  const newest = level.newest[cpu]!;
  level.newer[start + node] = NIL;
  level.older[start + node] = newest;
  level.newer[start + newest] = node;
  level.newest[cpu] = node;
}
