/**
 * The beliefs about physical frames: who holds them, on which list they are, what the counts say.
 *
 * Models:       nothing of the kernel: what must be true of any of its states.
 * Not modelled: frames that nobody ever used (looked at only through the allocator's own counts).
 */
import { C } from "../core/counters.ts";
import { asPfn, type Pfn } from "../core/units.ts";
import type { Census } from "./census.ts";
import { BLOCK, FRAME } from "./mm/frames.ts";
import { ENTRIES_PER_TABLE, PMD, PTE } from "./mm/page-table.ts";
import { headOf, mappingsOf } from "./mm/rmap.ts";
import { lruListOf, lruNext, lruPrev } from "./reclaim/lru-list.ts";
import { LRU_END, LRU_LISTS } from "./reclaim/state.ts";
import type { Kernel } from "./state.ts";

export const FRAME_BELIEFS = [
  { belief: "every reference of a page has an owner, and no page with an owner is free", check: wrongOwner },
  { belief: "a page's map counts are the entries that map it", check: wrongMapCount },
  { belief: "free, per-CPU, used and reserved frames are all frames", check: wrongFrames },
  { belief: "an anonymous page is on one LRU list or in one batch", check: wrongLru },
  { belief: "the deferred split queue has the huge pages that are marked so", check: wrongDeferred },
  { belief: "a page that can be written is one address space's alone", check: wrongExclusive },
  { belief: "the reverse map finds every mapping of a page", check: wrongRmap },
  { belief: "gauges are what is there", check: wrongGauge },
] as const;

function wrongOwner(k: Kernel, census: Census): string | undefined {
  const { flags, refCount } = k.frames;
  for (const pfn of census.owned) {
    if ((flags[pfn]! & (FRAME.BUDDY | FRAME.PCP | FRAME.TAIL)) !== 0)
      return `frame ${pfn} is in use and free`;
    if (refCount[pfn] !== census.owners[pfn])
      return `frame ${pfn} has ${refCount[pfn]} references, ${census.owners[pfn]} have owners`;
  }
  return undefined;
}

function wrongMapCount(k: Kernel, census: Census): string | undefined {
  const { frames, blocks, geometry } = k;
  for (const head of census.owned) {
    const huge = (frames.flags[head]! & FRAME.HEAD) !== 0;
    const pages = huge ? geometry.pagesPerHuge : 1;
    let mapped = 0;
    for (let pfn = head as number; pfn < head + pages; pfn++) {
      if (census.pteMaps[pfn]! > 0) mapped++;
      if (frames.mapCount[pfn] !== census.pteMaps[pfn])
        return `frame ${pfn} counts ${frames.mapCount[pfn]} PTEs, ${census.pteMaps[pfn]} map it`;
    }
    if (!huge) continue;
    const block = head >> geometry.hugeOrder;
    if (blocks.hugeMapCount[block] !== census.pmdMaps[block])
      return `huge page ${head} counts ${blocks.hugeMapCount[block]} PMDs, ${census.pmdMaps[block]} map it`;
    if (blocks.ptePages[block] !== mapped)
      return `huge page ${head} counts ${blocks.ptePages[block]} of its pages mapped by PTE, ${mapped} are`;
    if ((blocks.flags[block]! & BLOCK.DOUBLE_MAP) !== 0 && census.pmdMaps[block] === 0)
      return `huge page ${head} is marked as mapped in both ways, no PMD maps it`;
  }
  return undefined;
}

function pagesIn(k: Kernel, head: Pfn): number {
  return (k.frames.flags[head]! & FRAME.HEAD) !== 0 ? k.geometry.pagesPerHuge : 1;
}

function wrongFrames(k: Kernel, census: Census): string | undefined {
  let used = 0;
  for (const head of census.owned) used += pagesIn(k, head);
  // The huge zero page, unless an earlier program of the same boot has taken it.
  if (k.thp.hugeZeroAllocated && k.vmstat[C.thp_zero_page_alloc]! > 0) used += k.geometry.pagesPerHuge;
  let managed = 0;
  let free = 0;
  let perCpu = 0;
  for (const zone of k.buddy.zones) {
    managed += zone.managedPages - zone.takenPages;
    free += zone.freePages;
    for (const pcp of zone.pcps) perCpu += pcp.countPages;
  }
  const held = heldByFragmentation(k);
  if (free !== k.buddy.freePages) return `${k.buddy.freePages} pages count as free, the zones have ${free}`;
  if (free + perCpu + used + held === managed) return undefined;
  return `${free} free, ${perCpu} per-CPU, ${used} used and ${held} held pages are not ${managed}`;
}

/** Pages that a fragmented starting state holds for good: those reserved inside of zones. */
function heldByFragmentation(k: Kernel): number {
  if (k.machine.fragmentedRatio === 0) return 0;
  let managed = 0;
  let reserved = 0;
  for (const zone of k.buddy.zones) managed += zone.managedPages - zone.takenPages;
  for (const flags of k.frames.flags) if ((flags & FRAME.RESERVED) !== 0) reserved++;
  if (k.thp.hugeZeroAllocated && k.vmstat[C.thp_zero_page_alloc]! > 0) reserved--;
  return reserved - (k.frames.rows - managed);
}

/** Pages of one list by walking it; or what is wrong with it. */
function walkList(k: Kernel, node: number, list: number): number | string {
  const { frames, lru } = k;
  let pages = 0;
  let newer = LRU_END;
  for (let pfn = lru.nodes[node]!.heads[list]!; pfn !== LRU_END; pfn = lruNext(k, pfn)) {
    const flags = frames.flags[pfn]!;
    if ((flags & FRAME.LRU) === 0 || lruListOf(flags) !== list)
      return `frame ${pfn} is on list ${list} wrongly`;
    if (lruPrev(k, pfn) !== newer) return `frame ${pfn} does not know its neighbour on list ${list}`;
    if (pages > frames.rows) return `list ${list} of node ${node} has no end`;
    pages += pagesIn(k, asPfn(pfn));
    newer = pfn;
  }
  return newer === lru.nodes[node]!.tails[list] ? pages : `list ${list} of node ${node} ends elsewhere`;
}

function wrongLru(k: Kernel, census: Census): string | undefined {
  const { flags } = k.frames;
  let listed = 0;
  for (const pfn of census.owned) {
    if ((flags[pfn]! & (FRAME.ANON | FRAME.SWAPCACHE)) === 0) continue;
    const on = flags[pfn]! & (FRAME.LRU | FRAME.BATCHED | FRAME.ISOLATED);
    if (on !== FRAME.LRU && on !== FRAME.BATCHED) return `frame ${pfn} has the list flags ${on}`;
    if (on === FRAME.LRU) listed += pagesIn(k, pfn);
  }
  for (let node = 0; node < k.machine.nodes; node++) {
    for (let list = 0; list < LRU_LISTS; list++) {
      const pages = walkList(k, node, list);
      if (typeof pages === "string") return pages;
      const counted = k.lru.nodes[node]!.sizePages[list]!;
      if (pages !== counted) return `list ${list} of node ${node} counts ${counted} pages of ${pages}`;
      listed -= pages;
    }
  }
  return listed === 0 ? undefined : `${listed} pages are marked as listed and on no list`;
}

function wrongDeferred(k: Kernel, census: Census): string | undefined {
  const { blocks, thp, geometry } = k;
  let marked = 0;
  for (const head of census.owned) {
    const flags = blocks.flags[head >> geometry.hugeOrder]!;
    if ((k.frames.flags[head]! & FRAME.HEAD) === 0) continue;
    if ((flags & BLOCK.DEFERRED) !== 0) marked++;
    else if ((flags & BLOCK.PARTIAL) !== 0) return `huge page ${head} is partly mapped and on no queue`;
  }
  for (let node = 0; node < k.machine.nodes; node++) {
    let length = 0;
    for (let block = thp.deferredFirst[node]!; block >= 0; block = blocks.deferredNext[block]!) {
      if ((blocks.flags[block]! & BLOCK.DEFERRED) === 0) return `block ${block} is on the queue unmarked`;
      if (census.owners[block << geometry.hugeOrder] === 0) return `block ${block} is queued and free`;
      if (++length > blocks.rows) return `the queue of node ${node} has no end`;
    }
    if (length !== thp.deferredLength[node])
      return `the queue of node ${node} counts ${thp.deferredLength[node]} of ${length}`;
    marked -= length;
  }
  return marked === 0 ? undefined : `${marked} huge pages are marked as queued and on no queue`;
}

function wrongExclusive(k: Kernel, census: Census): string | undefined {
  const { pt, geometry } = k;
  const n = geometry.pagesPerHuge;
  for (let row = 0; row < pt.nextPmdTable * ENTRIES_PER_TABLE; row++) {
    const kind = pt.pmd.kind[row];
    if (kind === PMD.HUGE) {
      const head = pt.pmd.value[row]!;
      const wrong = (pt.pmd.flags[row]! & PTE.WRITE) !== 0 && sharedHuge(k, census, head);
      if (wrong) return `the huge page ${head} is writable and shared`;
    }
    if (kind !== PMD.TABLE) continue;
    for (let i = pt.pmd.value[row]! * n; i < (pt.pmd.value[row]! + 1) * n; i++) {
      const flags = pt.pteFlags[i]! & (PTE.PRESENT | PTE.WRITE | PTE.ZERO | PTE.FILE);
      if (flags === (PTE.PRESENT | PTE.WRITE) && sharedSmall(k, census, asPfn(pt.ptePfn[i]!)))
        return `frame ${pt.ptePfn[i]} is writable and shared`;
    }
  }
  return undefined;
}

function sharedHuge(k: Kernel, census: Census, head: number): boolean {
  if ((k.frames.flags[head]! & FRAME.EXCLUSIVE) === 0) return true;
  if (census.pmdMaps[head >> k.geometry.hugeOrder]! > 1) return true;
  for (let i = 0; i < k.geometry.pagesPerHuge; i++) if (census.pteMaps[head + i]! > 0) return true;
  return false;
}

function sharedSmall(k: Kernel, census: Census, pfn: Pfn): boolean {
  const head = headOf(k, pfn);
  if ((k.frames.flags[head]! & FRAME.ANON) === 0) return false;
  const byPmd = head === pfn && pagesIn(k, head) === 1 ? 0 : census.pmdMaps[pfn >> k.geometry.hugeOrder]!;
  return (k.frames.flags[pfn]! & FRAME.EXCLUSIVE) === 0 || census.pteMaps[pfn]! + byPmd > 1;
}

/** Looking pages up in reverse is slow: every so many of them. */
const RMAP_STRIDE = 13;

function wrongRmap(k: Kernel, census: Census): string | undefined {
  for (let i = 0; i < census.owned.length; i += RMAP_STRIDE) {
    const head = census.owned[i]!;
    if ((k.frames.flags[head]! & FRAME.ANON) === 0) continue;
    const pfn = asPfn(head + (i % pagesIn(k, head)));
    const byPmd = pagesIn(k, head) === 1 ? 0 : census.pmdMaps[head >> k.geometry.hugeOrder]!;
    const found = mappingsOf(k, pfn).length;
    if (found !== census.pteMaps[pfn]! + byPmd)
      return `${found} mappings of frame ${pfn} are found, there are ${census.pteMaps[pfn]! + byPmd}`;
  }
  return undefined;
}

function wrongGauge(k: Kernel, census: Census): string | undefined {
  let anon = 0;
  let huge = 0;
  for (const head of census.owned) {
    if ((k.frames.flags[head]! & FRAME.ANON) === 0) continue;
    const block = head >> k.geometry.hugeOrder;
    if (pagesIn(k, head) === 1) {
      if (census.pteMaps[head]! > 0) anon++;
    } else if (census.pmdMaps[block]! > 0) {
      anon += k.geometry.pagesPerHuge;
      huge++;
    } else {
      anon += k.blocks.ptePages[block]!;
    }
  }
  const there: readonly (readonly [name: keyof typeof C, value: number])[] = [
    ["nr_anon_pages", anon],
    ["nr_anon_transparent_hugepages", huge],
    ["nr_free_pages", k.buddy.freePages],
    ["nr_isolated_anon", 0],
    ["nr_inactive_anon", listed(k, 0)],
    ["nr_active_anon", listed(k, 1)],
  ];
  for (const [name, value] of there)
    if (k.vmstat[C[name]] !== value) return `${name} is ${k.vmstat[C[name]]}, there are ${value}`;
  return undefined;
}

function listed(k: Kernel, list: number): number {
  return k.lru.nodes.reduce((sum, node) => sum + node.sizePages[list]!, 0);
}
