/**
 * Strategy: random records on two CPUs, with pages whose entries are made clean, invalidated or flushed in
 * between, once with the loop that does everything by hand, once with the one that calls the TLB's functions.
 *
 *     cpu 0 reads a clean page ─▶ cpu 1 writes it ─▶ cpu 0 writes through its clean entry: walks once more
 *
 * Invariants: the same faults, counts and time; the same entries in the same order of age; the same accessed
 * and dirty bits; the same pages touched.
 */
import { expect, test } from "vitest";
import { LIFE } from "../core/geometry.ts";
import { asVpn } from "../core/units.ts";
import { hardwareByName } from "../hardware/index.ts";
import { runAlone, testKernel } from "../kernel/buddy/test-kernel.ts";
import { handleFault } from "../kernel/fault/handle.ts";
import { makeMm } from "../kernel/mm/mm.ts";
import { mmap } from "../kernel/mm/mmap.ts";
import { findRow, PMD, PTE, pteIndex } from "../kernel/mm/page-table.ts";
import { VM } from "../kernel/mm/vma.ts";
import type { Kernel } from "../kernel/state.ts";
import { tagsOf } from "../kernel/tlb/level.ts";
import { makeTlb, tlbFlushCpu, tlbInvalidatePage } from "../kernel/tlb/tlb.ts";
import { below, makePrng, type Prng } from "../lib/prng.ts";
import { makeRefBatch, REF } from "../workloads/records.ts";
import { makeRefCursor, runReferences, STOP } from "./references.ts";

const START = 2 ** 20;
const REGIONS = 4;
const STEPS = 3000;
/** The n-th page of a region that is used: with those of the other regions, sixteen in each of two sets. */
const usedPage = (n: number) => 128 * (n >> 1) + (n & 1);
const KINDS = [REF.READ, REF.READ, REF.WRITE, REF.WRITE, REF.READ_WRITE, REF.EXECUTE];

interface Reference {
  readonly page: number;
  readonly kind: number;
  readonly count: number;
  readonly gap: number;
}

interface Step {
  readonly cpu: number;
  readonly records: readonly Reference[];
  readonly afterwards: "nothing" | "clean" | "invalidate" | "flush";
  readonly region: number;
  readonly page: number;
}

function randomStep(seed: Prng): Step {
  const records: Reference[] = [];
  for (let left = 1 + below(seed, 4); left > 0; left -= 1) {
    const page = below(seed, REGIONS) * 512 + usedPage(below(seed, 8));
    const kind = KINDS[below(seed, KINDS.length)]!;
    const own = { page, kind, count: 1 + below(seed, 3), gap: below(seed, 50) };
    records.push(below(seed, 2) === 0 ? own : { ...own, ...records.at(-1), page });
  }
  const dice = below(seed, 40);
  const afterwards = dice < 9 ? "clean" : dice === 9 ? "invalidate" : dice === 10 ? "flush" : "nothing";
  return {
    cpu: below(seed, 2),
    records,
    afterwards,
    region: below(seed, REGIONS),
    page: usedPage(below(seed, 8)),
  };
}

interface World {
  readonly k: Kernel;
  readonly run: (step: Step) => string;
}

/** A process with four regions, on a machine whose TLBs are small so that entries go. */
function makeWorld(enabled: "always" | "never", hardware: string, byHand: boolean): World {
  const k = testKernel({ frames: 16_384, cpus: 2, geometry: LIFE, tunables: { enabled } });
  const tlb = makeTlb(hardwareByName(hardware)!.tlb, 2);
  const of = tlb.of.map((each) => ({ ...each, flat: each.flat && byHand }));
  Object.assign(k, { tlb: { ...tlb, of }, costs: hardwareByName(hardware)!.costs });
  const mm = makeMm(k);
  const flags = VM.READ | VM.WRITE | VM.NORESERVE;
  runAlone(mmap(k, mm, { at: START, pages: REGIONS * 512, flags, replace: false, stack: false }));
  const slotRows = new Int32Array(REGIONS).fill(-1);
  const cursors = [makeRefCursor(), makeRefCursor()];
  const cleanPage = (region: number, page: number): void => {
    const row = slotRows[region]!;
    if (row < 0) return;
    if (k.pt.pmd.kind[row] === PMD.HUGE) k.pt.pmd.flags[row]! &= ~PTE.DIRTY;
    if (k.pt.pmd.kind[row] !== PMD.TABLE) return;
    k.pt.pteFlags[pteIndex(k.pt, row as never, asVpn(START + region * 512 + page))]! &= ~PTE.DIRTY;
    for (const cpu of [0, 1]) tlbInvalidatePage(k.tlb, cpu, row * 512 + page);
  };
  const run = ({ cpu, records, afterwards, region, page }: Step): string => {
    const batch = makeRefBatch(records.length);
    batch.length = records.length;
    for (const [i, { page: at, kind, count, gap }] of records.entries()) {
      batch.page[i] = at;
      batch.kind[i] = kind;
      batch.reads[i] = kind === REF.WRITE ? 0 : count;
      batch.writes[i] = kind === REF.WRITE || kind === REF.READ_WRITE ? count : 0;
      batch.gap[i] = gap;
      const before = records[i - 1];
      batch.alike[i] = before?.kind === kind && before.count === count && before.gap === gap ? 1 : 0;
    }
    const faults: string[] = [];
    const cursor = cursors[cpu]!;
    for (let at = 0; at < batch.length; ) {
      at = runReferences(k, cpu, batch, slotRows, at, Number.POSITIVE_INFINITY, cursor);
      if (cursor.stop !== STOP.FAULT) continue;
      const slot = batch.page[at]! >>> 9;
      faults.push(`${at}${cursor.faultWrite ? "w" : "r"}`);
      if (slotRows[slot] === -1) slotRows[slot] = findRow(k.pt, mm.directory, asVpn(START + slot * 512));
      else runAlone(handleFault(k, mm, asVpn(START + batch.page[at]!), cursor.faultWrite));
      if (slotRows[slot] === -1)
        runAlone(handleFault(k, mm, asVpn(START + batch.page[at]!), cursor.faultWrite));
    }
    if (afterwards === "clean") cleanPage(region, page);
    if (afterwards === "invalidate" && slotRows[region]! >= 0)
      tlbInvalidatePage(k.tlb, cpu, slotRows[region]! * 512 + page);
    if (afterwards === "flush") tlbFlushCpu(k.tlb, cpu);
    return faults.join(" ");
  };
  return { k, run };
}

/** Everything that references may have changed. */
function picture({ k }: World): unknown {
  return {
    nowNs: k.nowNs,
    remainderPs: k.tlb.remainderPs,
    stats: k.tlb.stats,
    tags: k.tlb.of.map(({ l1Small, l1Huge, l2 }) => [l1Small, l1Huge, l2].map(tagsOf)),
    pteFlags: k.pt.pteFlags.subarray(0, 16_384),
    pmdFlags: k.pt.pmd.flags.subarray(0, 4096),
    touched: k.pt.pmd.touched.subarray(0, 4096),
  };
}

test.each([
  ["never", "plain"],
  ["always", "plain"],
  ["never", "skylake-sp"],
  ["always", "skylake-sp"],
  ["always", "ice-lake-sp"],
] as const)("THP %s, %s: by hand or with calls, references do the same", (enabled, hardware) => {
  const byHand = makeWorld(enabled, hardware, true);
  const byCalls = makeWorld(enabled, hardware, false);
  expect(byHand.k.tlb.of[0]!.flat).toBe(true);
  const seed = makePrng(20_261);
  for (let i = 0; i < STEPS; i += 1) {
    const step = randomStep(seed);
    expect(byHand.run(step), `faults of step ${i}`).toBe(byCalls.run(step));
    expect(byHand.k.nowNs, `time after step ${i}`).toBe(byCalls.k.nowNs);
  }
  expect(picture(byHand)).toEqual(picture(byCalls));
});
