/**
 * What hardware knows and the kernel does not: what each frame holds, and what each CPU's TLB remembers.
 *
 *     contents[frame]: a number a page: who wrote last        tlb[cpu][page]: frame, writable, when filled
 *
 * A CPU uses what its TLB remembers, be it stale or not. Using a translation whose frame has gone back to the
 * allocator since is a violation; so is a write that the program cannot read back.
 */

import { asPfn, NO_FRAME, NO_ROW, type Pfn, type Vpn } from "../core/units.ts";
import { broken } from "../kernel/invariants-paths.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import { findRow, PMD, PTE, pteIndex } from "../kernel/mm/page-table.ts";
import type { Kernel } from "../kernel/state.ts";
import type { Witness } from "../kernel/witness.ts";
import { Violation } from "./runner.ts";

/** What a freed frame holds. */
export const POISON = -1;
/** A cleared page. */
export const ZEROES = 0;

export interface Memory {
  readonly k: Kernel;
  /** First page that is watched, and how many are: the same range in every address space. */
  readonly firstVpn: number;
  readonly pages: number;
  readonly contents: Int32Array;
  readonly slots: Int32Array;
  /** How often each frame was freed. */
  readonly freed: Int32Array;
  /** (cpu × address spaces + mm) × pages + page: frame + 1, or 0; whether writable; `freed` when filled. */
  readonly tlbFrame: Int32Array;
  readonly tlbWritable: Uint8Array;
  readonly tlbFreed: Int32Array;
  /** (mm × pages + page): what the program, or its device, wrote last; and the last before that may show. */
  readonly written: Int32Array;
}

/** Address spaces that are watched. */
export const MMS_MAX = 4;

export function makeMemory(k: Kernel, firstVpn: number, pages: number): Memory {
  const entries = k.machine.cpus * MMS_MAX * pages;
  return {
    k,
    firstVpn,
    pages,
    contents: new Int32Array(k.frames.rows).fill(POISON),
    slots: new Int32Array(k.swap.useCount.length),
    freed: new Int32Array(k.frames.rows),
    tlbFrame: new Int32Array(entries),
    tlbWritable: new Uint8Array(entries),
    tlbFreed: new Int32Array(entries),
    written: new Int32Array(MMS_MAX * pages),
  };
}

/** What the kernel tells, written down. */
export function witnessOf(m: Memory, mightSleep: (where: string) => void): Witness {
  return {
    copied(from, to, pages) {
      for (let i = 0; i < pages; i++) m.contents[to + i] = m.contents[from + i]!;
    },
    zeroed(pfn, pages) {
      for (let i = 0; i < pages; i++) m.contents[pfn + i] = ZEROES;
    },
    freed(pfn, pages) {
      for (let i = 0; i < pages; i++) {
        m.contents[pfn + i] = POISON;
        m.freed[pfn + i]! += 1;
      }
    },
    swappedOut(pfn, slot) {
      m.slots[slot] = m.contents[pfn]!;
    },
    swappedIn(slot, pfn) {
      m.contents[pfn] = m.slots[slot]!;
    },
    flushed(cpu, mm, fromVpn, pages) {
      const first = Math.max(0, fromVpn - m.firstVpn);
      const behind = Math.min(m.pages, fromVpn + pages - m.firstVpn);
      for (let page = first; page < behind; page++) {
        const entry = entryOf(m, cpu, mm, page);
        if (m.tlbFrame[entry] !== 0) m.tlbFrame[entry] = 0;
      }
    },
    mightSleep,
  };
}

function entryOf(m: Memory, cpu: number, mm: Mm, page: number): number {
  return (cpu * MMS_MAX + mm.id) * m.pages + page;
}

/** Where a CPU's access goes: by its TLB, else by the page table. −1: it must fault. */
export function translate(m: Memory, mm: Mm, vpn: Vpn, write: boolean): Pfn {
  const { k } = m;
  const entry = entryOf(m, k.cpu, mm, vpn - m.firstVpn);
  const cached = m.tlbFrame[entry]! - 1;
  if (cached >= 0 && (!write || m.tlbWritable[entry] === 1)) {
    if (m.tlbFreed[entry] !== m.freed[cached])
      throw new Violation(
        broken("staleUse", `CPU ${k.cpu} ${write ? "writes to" : "reads"} frame ${cached}, freed since`),
      );
    return asPfn(cached);
  }
  const pfn = walk(m, mm, vpn, write, entry);
  if (pfn >= 0) m.tlbFreed[entry] = m.freed[pfn]!;
  return pfn;
}

/** The page walk: refuses, or fills the TLB and sets accessed and dirty. */
function walk({ k, tlbFrame, tlbWritable }: Memory, mm: Mm, vpn: Vpn, write: boolean, entry: number): Pfn {
  const { pt, geometry } = k;
  const row = findRow(pt, mm.directory, vpn);
  if (row === NO_ROW) return asPfn(-1);
  const kind = pt.pmd.kind[row]!;
  if (kind === PMD.NONE) return asPfn(-1);
  const pte = kind === PMD.TABLE ? pteIndex(pt, row, vpn) : -1;
  const flags = pte >= 0 ? pt.pteFlags[pte]! : pt.pmd.flags[row]!;
  const needed = PTE.PRESENT | (write ? PTE.WRITE : 0);
  if ((flags & (needed | PTE.HINT)) !== needed) return asPfn(-1);
  // The zero pages have no frame of their own: reading them is reading zeroes.
  if (kind === PMD.HUGE_ZERO || (flags & (PTE.ZERO | PTE.FILE)) !== 0) return asPfn(-2);
  const marks = PTE.YOUNG | (write ? PTE.DIRTY : 0);
  if (pte >= 0) pt.pteFlags[pte] = flags | marks;
  else pt.pmd.flags[row] = flags | marks;
  const pfn = pte >= 0 ? pt.ptePfn[pte]! : pt.pmd.value[row]! + (vpn % geometry.pagesPerHuge);
  tlbFrame[entry] = pfn + 1;
  tlbWritable[entry] = (flags & PTE.WRITE) !== 0 ? 1 : 0;
  return asPfn(pfn);
}

/** A write arrives in a frame, for that page of that address space. */
export function store(m: Memory, mm: Mm, vpn: number, pfn: Pfn, value: number): void {
  m.contents[pfn] = value;
  m.written[mm.id * m.pages + (vpn - m.firstVpn)] = value;
}

/** What a read through that frame gives; −2 stands for a zero page. */
export function load(m: Memory, pfn: Pfn): number {
  return pfn === -2 ? ZEROES : m.contents[pfn]!;
}

/** A read that gives neither what was written last nor zeroes of a page that was given back. */
export function checkRead(m: Memory, mm: Mm, vpn: number, value: number): void {
  const wanted = m.written[mm.id * m.pages + (vpn - m.firstVpn)]!;
  if (wanted !== 0 && value !== wanted && value !== ZEROES)
    throw new Violation(
      broken("staleRead", `page ${vpn - m.firstVpn} was written ${wanted}, it reads ${value}`),
    );
}

/** When nobody is under way, a TLB that knows more than the page tables allow. */
export function staleTlb(m: Memory): string | undefined {
  for (let entry = 0; entry < m.tlbFrame.length; entry++) {
    const frame = m.tlbFrame[entry]! - 1;
    if (frame < 0) continue;
    const page = entry % m.pages;
    const mm = m.k.mms[Math.floor(entry / m.pages) % MMS_MAX];
    const cpu = Math.floor(entry / (m.pages * MMS_MAX));
    if (mm === undefined) continue;
    const now = entryAt(m, mm, (m.firstVpn + page) as Vpn);
    const allowed = now.frame === frame && (m.tlbWritable[entry] === 0 || now.writable);
    if (!allowed) return broken("staleTlb", `CPU ${cpu} still has page ${page} in frame ${frame}`);
  }
  return undefined;
}

const NO_ENTRY = { frame: -1, writable: false };

/** What the page tables allow for a page. */
function entryAt({ k }: Memory, mm: Mm, vpn: Vpn): { readonly frame: number; readonly writable: boolean } {
  const { pt, geometry } = k;
  const row = findRow(pt, mm.directory, vpn);
  if (row === NO_ROW || pt.pmd.kind[row] === PMD.NONE || pt.pmd.kind[row] === PMD.HUGE_ZERO) return NO_ENTRY;
  const huge = pt.pmd.kind[row] === PMD.HUGE;
  const pte = huge ? -1 : pteIndex(pt, row, vpn);
  const flags = huge ? pt.pmd.flags[row]! : pt.pteFlags[pte]!;
  if ((flags & (PTE.PRESENT | PTE.HINT | PTE.ZERO | PTE.FILE)) !== PTE.PRESENT) return NO_ENTRY;
  const frame = huge ? pt.pmd.value[row]! + (vpn % geometry.pagesPerHuge) : pt.ptePfn[pte]!;
  return { frame, writable: (flags & PTE.WRITE) !== 0 };
}

/** The page that does not hold what was written to it last; `mayVanish`: it may have been given back. */
export function lostWrite(m: Memory, mayVanish: boolean): string | undefined {
  for (const mm of m.k.mms) {
    if (mm === undefined || mm.id >= MMS_MAX) continue;
    for (let page = 0; page < m.pages; page++) {
      const wanted = m.written[mm.id * m.pages + page]!;
      if (wanted === 0) continue;
      const held = heldAt(m, mm, (m.firstVpn + page) as Vpn);
      if (held === wanted || (mayVanish && (held === ZEROES || held === undefined))) continue;
      const found = held === undefined ? "is mapped nowhere" : `holds ${held}`;
      return broken("lostWrite", `page ${page} of mm ${mm.id} should hold ${wanted}, it ${found}`);
    }
  }
  return undefined;
}

/** What the page tables, and swap, give for a page; undefined: nothing is there. */
export function heldAt(m: Memory, mm: Mm, vpn: Vpn): number | undefined {
  const { pt, geometry } = m.k;
  const row = findRow(pt, mm.directory, vpn);
  if (row === NO_ROW) return undefined;
  const kind = pt.pmd.kind[row]!;
  if (kind === PMD.NONE) return undefined;
  if (kind === PMD.HUGE_ZERO) return ZEROES;
  if (kind === PMD.HUGE) return m.contents[pt.pmd.value[row]! + (vpn % geometry.pagesPerHuge)];
  const pte = pteIndex(pt, row, vpn);
  const flags = pt.pteFlags[pte]!;
  if (flags === 0) return undefined;
  if ((flags & PTE.SWAP) !== 0) return heldInSwap(m, pt.ptePfn[pte]!);
  return (flags & (PTE.ZERO | PTE.FILE)) !== 0 ? ZEROES : m.contents[pt.ptePfn[pte]!];
}

/** What is in the swap cache is newer than what was written. */
function heldInSwap({ k, contents, slots }: Memory, slot: number): number {
  const cached = k.swap.cachedPage[slot]!;
  return cached === NO_FRAME ? slots[slot]! : contents[cached]!;
}
