/**
 * Looks at every page of every address space and keeps what changed since the look before: the data of the
 * address map.
 *
 *     look ──▶ rows of each mm ──▶ state of each page ──▶ runs that differ from the last look
 *
 * A look costs about as many steps as pages are mapped. Looks become rarer as a run goes on, and the rarer
 * the more memory there is, so that all looks of a run together cost about as much as `WORK_PAGES` pages.
 */
import { asVpn, NO_ROW, type PmdRow } from "../core/units.ts";
import { nodeOfFrame } from "../kernel/buddy/state.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import { PMD, PTE, vpnOfRow } from "../kernel/mm/page-table.ts";
import { nextUsedRow } from "../kernel/mm/tables.ts";
import type { Kernel } from "../kernel/state.ts";
import { type Grown, makeGrown } from "../lib/grow.ts";
import { areaName, type NamedRange } from "./area-names.ts";
import { type MapArea, PAGE, type PageMap } from "./recording.ts";

/** Page looks that a run may cost in all; one takes about a nanosecond. */
const WORK_PAGES = 1.6e9;
const FRAMES_MIN = 24;
const FRAMES_MAX = 240;
const FIRST_INTERVAL_NS = 100_000;

interface OpenArea {
  readonly mm: number;
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly name: string;
  fromFrame: number;
  seen: number;
}

interface Region {
  readonly mm: number;
  readonly vpn: number;
  /** Number of the look that saw it last. */
  seen: number;
  /** Some page of it was not absent then. */
  present: boolean;
}

export interface PageStates {
  readonly pagesPerHuge: number;
  readonly changesMax: number;
  /** When the next look is due. */
  dueNs: number;
  intervalNs: number;
  looks: number;
  complete: boolean;
  digest: string;
  readonly frames: number[];
  readonly regions: Region[];
  /** Region by address space and first page. */
  readonly regionOf: Map<number, Map<number, number>>;
  /** What the last look saw, region by region. */
  states: Uint8Array;
  readonly changes: {
    readonly frame: Grown<Uint16Array>;
    readonly page: Grown<Uint32Array>;
    readonly run: Grown<Uint16Array>;
    readonly state: Grown<Uint8Array>;
  };
  readonly heat: {
    readonly frame: Grown<Uint16Array>;
    readonly region: Grown<Uint32Array>;
    readonly references: Grown<Float64Array>;
    /** Since the last look, by region. */
    readonly warm: Map<number, number>;
  };
  readonly areas: MapArea[];
  readonly open: Map<string, OpenArea>;
  /** Names that the workload gave ranges of each address space. */
  readonly names: Map<number, NamedRange[]>;
  readonly now: Uint8Array;
  readonly none: Uint8Array;
}

/** Begins without having looked; at most about `changesMax` changes are kept. */
export function makePageStates(pagesPerHuge: number, changesMax: number): PageStates {
  return {
    pagesPerHuge,
    changesMax,
    dueNs: 0,
    intervalNs: FIRST_INTERVAL_NS,
    looks: 0,
    complete: true,
    digest: "",
    frames: [],
    regions: [],
    regionOf: new Map(),
    states: new Uint8Array(64 * pagesPerHuge),
    changes: {
      frame: makeGrown(Uint16Array),
      page: makeGrown(Uint32Array),
      run: makeGrown(Uint16Array),
      state: makeGrown(Uint8Array),
    },
    heat: {
      frame: makeGrown(Uint16Array),
      region: makeGrown(Uint32Array),
      references: makeGrown(Float64Array),
      warm: new Map(),
    },
    areas: [],
    open: new Map(),
    names: new Map(),
    now: new Uint8Array(pagesPerHuge),
    none: new Uint8Array(pagesPerHuge),
  };
}

/** The region that begins at that page. */
function slotOf(p: PageStates, mm: number, vpn: number): number {
  let ofMm = p.regionOf.get(mm);
  if (ofMm === undefined) {
    ofMm = new Map();
    p.regionOf.set(mm, ofMm);
  }
  const known = ofMm.get(vpn);
  if (known !== undefined) return known;
  const slot = p.regions.length;
  ofMm.set(vpn, slot);
  p.regions.push({ mm, vpn, seen: -1, present: false });
  if ((slot + 1) * p.pagesPerHuge > p.states.length) {
    const grown = new Uint8Array(p.states.length * 2);
    grown.set(p.states);
    p.states = grown;
  }
  return slot;
}

/** Keeps what of a region differs from the look before. */
function keep(p: PageStates, slot: number, now: Uint8Array): void {
  const { states, changes, pagesPerHuge } = p;
  const at = slot * pagesPerHuge;
  let some = false;
  for (let i = 0; i < pagesPerHuge; ) {
    const value = now[i]!;
    some ||= value !== 0;
    if (states[at + i] === value) {
      i++;
      continue;
    }
    const from = i;
    while (i < pagesPerHuge && now[i] === value && states[at + i] !== value) states[at + i++] = value;
    changes.frame.push(p.frames.length);
    changes.page.push(at + from);
    changes.run.push(i - from);
    changes.state.push(value);
  }
  const region = p.regions[slot]!;
  region.seen = p.looks;
  region.present = some;
}

/** Looks at an address space; returns how many pages that took. */
function lookAtMm(p: PageStates, k: Kernel, mm: Mm): number {
  const last = mm.vmas[mm.vmas.length - 1];
  if (last === undefined) return 0;
  const n = p.pagesPerHuge;
  let pages = 0;
  for (let row = nextUsedRow(k, mm, mm.vmas[0]!.start, last.end); row !== NO_ROW; ) {
    const vpn = vpnOfRow(k.pt, row);
    if (statesOfRow(k, row, p.now)) keep(p, slotOf(p, mm.id, vpn), p.now);
    pages += n;
    row = nextUsedRow(k, mm, asVpn(vpn + n), last.end);
  }
  const names = p.names.get(mm.id) ?? [];
  for (const vma of mm.vmas) {
    const { start, end, flags } = vma;
    const key = `${mm.id} ${start} ${end} ${flags}`;
    const known = p.open.get(key);
    if (known !== undefined) {
      known.seen = p.looks;
      continue;
    }
    const name = areaName(mm, vma, names);
    p.open.set(key, { mm: mm.id, start, end, flags, name, fromFrame: p.frames.length, seen: p.looks });
  }
  return pages;
}

function closeAreas(p: PageStates, all: boolean): void {
  for (const [key, { seen, ...area }] of p.open) {
    if (!all && seen === p.looks) continue;
    p.areas.push({ ...area, toFrame: p.frames.length });
    p.open.delete(key);
  }
}

/** Every second look goes: what it alone saw is seen by the next. */
function thin(p: PageStates): void {
  const half = (frame: number): number => (frame + 1) >> 1;
  const kept = p.frames.filter((_, i) => i % 2 === 0);
  p.frames.length = 0;
  p.frames.push(...kept);
  for (const column of [p.changes.frame, p.heat.frame]) {
    const { array } = column;
    for (let i = 0; i < column.length; i++) array[i] = half(array[i]!);
  }
  for (const area of p.open.values()) area.fromFrame = half(area.fromFrame);
  p.areas.forEach((area, i) => {
    p.areas[i] = { ...area, fromFrame: half(area.fromFrame), toFrame: half(area.toFrame) };
  });
  p.intervalNs *= 2;
}

/** Looks at all address spaces now. */
export function lookAtPages(p: PageStates, k: Kernel, tNs: number): void {
  if (!p.complete) return;
  const digest = digestOf(k);
  let pages = 0;
  p.looks++;
  if (digest !== p.digest) {
    for (const mm of k.mms) if (mm !== undefined) pages += lookAtMm(p, k, mm);
    p.regions.forEach((region, slot) => {
      if (region.present && region.seen !== p.looks) keep(p, slot, p.none);
    });
    closeAreas(p, false);
    p.digest = digest;
  }
  for (const [slot, references] of p.heat.warm) {
    p.heat.frame.push(p.frames.length);
    p.heat.region.push(slot);
    p.heat.references.push(references);
  }
  p.heat.warm.clear();
  p.frames.push(tNs);
  if (p.changes.frame.length > p.changesMax) p.complete = false;
  const most = Math.max(FRAMES_MIN, Math.min(FRAMES_MAX, WORK_PAGES / (8 * Math.max(1, pages))));
  while (p.frames.length >= most) thin(p);
  p.dueNs = tNs + p.intervalNs;
}

/** The program referred to a page that often. */
export function addHeat(p: PageStates, mm: number, vpn: number, references: number): void {
  const slot = slotOf(p, mm, vpn - (vpn % p.pagesPerHuge));
  p.heat.warm.set(slot, (p.heat.warm.get(slot) ?? 0) + references);
}

/**
 * The map: regions in order of address space and address, and every column renumbered so. `mmIndex` numbers
 * address spaces.
 */
export function pageMapOf(p: PageStates, mmIndex: (id: number) => number): PageMap {
  closeAreas(p, true);
  const n = p.pagesPerHuge;
  const { regions } = p;
  const order = regions.map((_, i) => i);
  order.sort((x, y) => regions[x]!.mm - regions[y]!.mm || regions[x]!.vpn - regions[y]!.vpn);
  const place = new Uint32Array(regions.length);
  order.forEach((from, to) => {
    place[from] = to;
  });
  return {
    frameNs: Float64Array.from(p.frames),
    regions: order.map((from) => ({ mm: mmIndex(regions[from]!.mm), vpn: regions[from]!.vpn })),
    areas: p.areas.map((area) => ({ ...area, mm: mmIndex(area.mm) })),
    frame: p.changes.frame.taken(),
    page: p.changes.page.taken().map((page) => place[Math.floor(page / n)]! * n + (page % n)),
    run: p.changes.run.taken(),
    state: p.changes.state.taken(),
    heatFrame: p.heat.frame.taken(),
    heatRegion: p.heat.region.taken().map((slot) => place[slot]!),
    heat: p.heat.references.taken(),
    complete: p.complete,
  };
}

/** Changes whenever some page's state may have. */
function digestOf(k: Kernel): string {
  let flushes = 0;
  let resident = 0;
  for (const mm of k.mms) {
    if (mm === undefined) continue;
    flushes += mm.flushes;
    resident += mm.anonPages * 3 + mm.filePages * 5 + mm.swapEntries * 7 + mm.vmas.length * 11;
  }
  let counters = 0;
  for (const value of k.vmstat) counters += value;
  return `${k.mms.length} ${flushes} ${resident} ${k.totals.touched} ${counters}`;
}

/** The states of a row's pages; false when the row maps nothing. */
function statesOfRow(k: Kernel, row: PmdRow, out: Uint8Array): boolean {
  const { pt, frames, blocks, geometry } = k;
  const n = geometry.pagesPerHuge;
  const kind = pt.pmd.kind[row]!;
  if (kind === PMD.NONE) return false;
  if (kind !== PMD.TABLE) {
    const value = pt.pmd.value[row]!;
    let state: number = kind === PMD.HUGE_ZERO ? PAGE.ZERO : PAGE.HUGE;
    if (kind === PMD.HUGE) {
      if (blocks.hugeMapCount[value >> geometry.hugeOrder]! > 1) state |= PAGE.SHARED;
      state |= nodeOfFrame(k.buddy, value) << PAGE.NODE_SHIFT;
    }
    for (let i = 0; i < n; i++) out[i] = state | (touched(pt.touched, row * n + i) ? PAGE.TOUCHED : 0);
    return true;
  }
  const base = pt.pmd.value[row]! * n;
  // A kernel without reservations has no such column at all.
  const unmapped = (k.reservations.ofRow[row] ?? 0) > 0 ? PAGE.RESERVED : PAGE.ABSENT;
  for (let i = 0; i < n; i++) {
    const flags = pt.pteFlags[base + i]!;
    if (flags === 0) {
      out[i] = unmapped;
      continue;
    }
    let state: number = kindOfPte(flags);
    if (state === PAGE.BASE) {
      const pfn = pt.ptePfn[base + i]!;
      if (frames.mapCount[pfn]! > 1) state |= PAGE.SHARED;
      state |= nodeOfFrame(k.buddy, pfn) << PAGE.NODE_SHIFT;
    }
    out[i] = state | (touched(pt.touched, row * n + i) ? PAGE.TOUCHED : 0);
  }
  return true;
}

function kindOfPte(flags: number): number {
  if ((flags & PTE.SWAP) !== 0) return PAGE.SWAPPED;
  if ((flags & PTE.ZERO) !== 0) return PAGE.ZERO;
  return (flags & PTE.FILE) !== 0 ? PAGE.FILE : PAGE.BASE;
}

function touched(bits: Uint8Array, linear: number): boolean {
  return (bits[linear >> 3]! & (1 << (linear & 7))) !== 0;
}
