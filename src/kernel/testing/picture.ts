/**
 * Memory as one line of text, for tests: a process on a small machine whose huge pages have four base pages.
 *
 *     H huge, writable    s base page, writable    c page of a huge page by PTE, writable    . nothing
 *     h huge, read-only   r base page, read-only   d page of a huge page by PTE, read-only   - nothing in
 *     Z huge zero page    z zero page              w swapped out                               a table
 *
 * Models:       nothing: a fixture.
 * Not modelled: time, other CPUs' paths.
 */
import type { Advice } from "../../core/advice.ts";
import { COUNTER_NAMES } from "../../core/counters.ts";
import { SMALL } from "../../core/geometry.ts";
import type { Path } from "../../core/ops.ts";
import { asPfn, asVpn, NO_ROW } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import { processWith, runAlone, type TestMachine, testKernel, touch } from "../buddy/test-kernel.ts";
import { violations } from "../invariants.ts";
import { khugepaged } from "../khugepaged/daemon.ts";
import { madvise } from "../mm/madvise.ts";
import type { Mm } from "../mm/mm.ts";
import { mprotect } from "../mm/mprotect.ts";
import { mremap } from "../mm/mremap.ts";
import { munmap } from "../mm/munmap.ts";
import { findRow, PMD, PTE, pteIndex } from "../mm/page-table.ts";
import { isHuge } from "../mm/rmap.ts";
import { VM } from "../mm/vma.ts";
import type { Kernel } from "../state.ts";

/** A process with one area, from page `start` on; `pages` is how much of it pictures show. */
export interface World {
  readonly k: Kernel;
  mm: Mm;
  start: number;
  pages: number;
  /** Counters when `moved` was last asked. */
  before: Float64Array;
}

/**
 * Boots a small machine and fills an area as the picture says: letters H, s, z, - and ., and c for the first
 * page of a huge page of which only the pages marked c stay mapped.
 */
export function world(text: string, of: Partial<TestMachine> = {}): World {
  const letters = [...text.replaceAll(" ", "")];
  const tunables = { enabled: "always", maxPtesNone: 3, ...of.tunables } as const;
  const k = testKernel({ frames: 128, geometry: SMALL, ...of, tunables });
  const { mm, start } = processWith(k, letters.length);
  const w: World = { k, mm, start, pages: letters.length, before: k.vmstat.slice() };
  k.tunables.enabled = "always";
  letters.forEach((letter, page) => {
    if (page % 4 === 0 && (letter === "H" || letter === "c")) write(w, page);
  });
  k.tunables.enabled = "never";
  letters.forEach((letter, page) => {
    if (letter === "c" && page % 4 === 0) advise(w, "dontfork", page, page + 1);
    if (letter === "c" && page % 4 === 0) advise(w, "dofork", page, page + 1);
    if (letter === "s" || letter === "-") write(w, page);
    if (letter === "z") read(w, page);
  });
  letters.forEach((letter, page) => {
    const given = letter === "-" || (letter === "." && letters[page - (page % 4)] === "c");
    if (given) advise(w, "dontneed", page, page + 1);
  });
  k.tunables.enabled = tunables.enabled;
  const made = picture(w).replaceAll(" ", "").replaceAll("-", ".");
  const asked = letters.join("").replaceAll("-", ".");
  assert(made === asked, `a world is as its picture says: ${made} is not ${asked}`);
  w.before = k.vmstat.slice();
  return w;
}

/** Runs a path alone, and checks every invariant after it. */
export function finish<T>(w: World, path: Path<T>): T {
  const result = runAlone(path);
  sound(w);
  return result;
}

/** Every invariant holds. */
export function sound({ k }: World): void {
  const broken = violations(k);
  assert(broken.length === 0, broken.join("; "));
}

export function write(w: World, page: number): string {
  const outcome = touch(w.k, w.mm, w.start + page, true);
  sound(w);
  return outcome;
}

export function read(w: World, page: number): string {
  const outcome = touch(w.k, w.mm, w.start + page, false);
  sound(w);
  return outcome;
}

export function advise(w: World, advice: Advice, from = 0, to = w.pages): number {
  return finish(w, madvise(w.k, w.mm, w.start + from, to - from, advice));
}

export function unmap(w: World, from: number, to: number): number {
  return finish(w, munmap(w.k, w.mm, w.start + from, to - from));
}

const ACCESS = { none: 0, ro: VM.READ, rw: VM.READ | VM.WRITE } as const;

export function protect(w: World, access: keyof typeof ACCESS, from = 0, to = w.pages): number {
  return finish(w, mprotect(w.k, w.mm, w.start + from, to - from, ACCESS[access]));
}

/** mremap of [from, to) to `at` (relative to the area's start), with as many pages unless told. */
export function remap(w: World, from: number, to: number, at: number | undefined, pages = to - from): number {
  const target = at === undefined ? undefined : w.start + at;
  const result = finish(w, mremap(w.k, w.mm, w.start + from, to - from, pages, target));
  return result < 0 ? result : result - w.start;
}

/** khugepaged from its wake-up to its sleep; answers how it slept in between, in ms. */
export function scanPass(w: World): number[] {
  const path = khugepaged(w.k);
  const sleepsMs: number[] = [];
  w.k.khugepaged.othersRegistered = true;
  const { scanSleepMs } = w.k.tunables;
  for (;;) {
    const step = path.next();
    assert(step.done !== true, "khugepaged sleeps after a pass");
    if (step.value.kind !== "sleep") continue;
    // Sleeps are whole jiffies, and end one after what was asked for at the earliest.
    const sleepMs = Math.floor(step.value.waitNs! / 1e6);
    if (sleepMs >= scanSleepMs) break;
    sleepsMs.push(sleepMs);
  }
  sound(w);
  return sleepsMs;
}

/** The same process picture of another address space (a fork's). */
export function seenBy(w: World, mm: Mm): World {
  return { ...w, mm };
}

function letterAt({ k, mm }: World, vpn: number): string {
  const row = findRow(k.pt, mm.directory, asVpn(vpn));
  const kind = row === NO_ROW ? PMD.NONE : k.pt.pmd.kind[row]!;
  if (kind === PMD.NONE) return ".";
  if (kind === PMD.HUGE_ZERO) return "Z";
  if (kind === PMD.HUGE) return (k.pt.pmd.flags[row]! & PTE.WRITE) !== 0 ? "H" : "h";
  const pte = pteIndex(k.pt, row, asVpn(vpn));
  const flags = k.pt.pteFlags[pte]!;
  if (flags === 0) return "-";
  if ((flags & PTE.SWAP) !== 0) return "w";
  if ((flags & PTE.ZERO) !== 0) return "z";
  const letters = isHuge(k, asPfn(k.pt.ptePfn[pte]!)) ? "cd" : "sr";
  return letters[(flags & PTE.WRITE) !== 0 ? 0 : 1]!;
}

/** Pages [from, to) of the area (relative to its start), a letter each, regions apart. */
export function picture(w: World, from = 0, to = w.pages): string {
  let text = "";
  for (let page = from; page < to; page++) {
    if (page > from && (w.start + page) % 4 === 0) text += " ";
    text += letterAt(w, w.start + page);
  }
  return text;
}

/** The thp_* counters, and those named, that moved since the last time: "thp_fault_alloc 1, pgfault 2". */
export function moved(w: World, ...others: string[]): string {
  const { vmstat } = w.k;
  const changes = COUNTER_NAMES.map((name, index) => [name, vmstat[index]! - w.before[index]!] as const);
  w.before = vmstat.slice();
  return changes
    .filter(([name, change]) => change !== 0 && (name.startsWith("thp_") || others.includes(name)))
    .map(([name, change]) => `${name} ${change}`)
    .join(", ");
}

/** The areas, as pages relative to the start with what they allow: "0-4 rw, 4-8 ro". */
export function areas({ mm, start }: World): string {
  return mm.vmas
    .map(({ start: from, end, flags }) => {
      const access = (flags & VM.WRITE) !== 0 ? "rw" : (flags & VM.READ) !== 0 ? "ro" : "none";
      return `${from - start}-${end - start} ${access}`;
    })
    .join(", ");
}
