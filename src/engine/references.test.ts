import { expect, test } from "vitest";
import { LIFE, SMALL } from "../core/geometry.ts";
import { asPmdRow, asVpn } from "../core/units.ts";
import { hardwareByName } from "../hardware/index.ts";
import { runAlone, testKernel } from "../kernel/buddy/test-kernel.ts";
import { handleFault } from "../kernel/fault/handle.ts";
import { type Mm, makeMm } from "../kernel/mm/mm.ts";
import { mmap } from "../kernel/mm/mmap.ts";
import { findRow, linearPage, PMD, PTE, pteIndex } from "../kernel/mm/page-table.ts";
import { VM } from "../kernel/mm/vma.ts";
import type { Kernel } from "../kernel/state.ts";
import { STEPPER } from "../kernel/tlb/step.ts";
import { tlbFlushCpu } from "../kernel/tlb/tlb.ts";
import { below, makePrng } from "../lib/prng.ts";
import { makeRefBatch, REF, type RefBatch } from "../workloads/records.ts";
import { makeRefCursor, type RefCursor, runReferences, STOP, touchOne } from "./references.ts";

const START = 2 ** 20;
const COSTS = { referencePs: 1_500, secondLevelPs: 10_000, walkReferencePs: 100_000 };

interface Program {
  readonly k: Kernel;
  readonly mm: Mm;
  readonly slotRows: Int32Array;
  readonly cursor: RefCursor;
}

function zeroCosts(): Record<string, number> {
  return Object.fromEntries(Object.keys(hardwareByName("plain")!.costs).map((name) => [name, 0]));
}

/** A process with eight regions of memory that it has not touched; slot i is region i. */
function program(enabled: "always" | "never" = "never", geometry = LIFE): Program {
  const k = testKernel({ frames: 16_384, geometry, tunables: { enabled } });
  const mm = makeMm(k);
  mm.cpus[0] = 1;
  const request = {
    at: START,
    pages: 8 * 512,
    flags: VM.READ | VM.WRITE | VM.NORESERVE,
    replace: false,
    stack: false,
  };
  runAlone(mmap(k, mm, request));
  // Everything else is free.
  Object.assign(k, { costs: { ...zeroCosts(), ...COSTS } });
  return { k, mm, slotRows: new Int32Array(8).fill(-1), cursor: makeRefCursor() };
}

type Written = readonly [page: number, kind: number, reads: number, writes: number, gap?: number];

function batchOf(records: readonly Written[]): RefBatch {
  const batch = makeRefBatch(records.length);
  batch.length = records.length;
  records.forEach(([page, kind, reads, writes, gap], i) => {
    batch.page[i] = page;
    batch.kind[i] = kind;
    batch.reads[i] = reads;
    batch.writes[i] = writes;
    batch.gap[i] = gap ?? 0;
  });
  return batch;
}

/** Runs a batch as the engine does; returns the faults: "2w" is a write fault of record 2. */
function run({ k, mm, slotRows, cursor }: Program, batch: RefBatch): string {
  const faults: string[] = [];
  let at = 0;
  for (let tries = 0; at < batch.length && tries < 100; tries += 1) {
    at = runReferences(k, 0, batch, slotRows, at, Number.POSITIVE_INFINITY, cursor);
    if (cursor.stop !== STOP.FAULT) continue;
    const page = batch.page[at]!;
    const vpn = asVpn(START + page);
    if (slotRows[page >>> 9] === -1) {
      slotRows[page >>> 9] = findRow(k.pt, mm.directory, asVpn(START + (page & ~511)));
      if (slotRows[page >>> 9] !== -1) continue;
    }
    faults.push(at + (cursor.faultWrite ? "w" : "r"));
    runAlone(handleFault(k, mm, vpn, cursor.faultWrite));
  }
  return faults.join(" ");
}

function stats(k: Kernel): readonly number[] {
  const { references, l1Hits, l2Hits, walks } = k.tlb.stats;
  return [references[0]!, l1Hits[0]!, l2Hits[0]!, walks[0]!];
}

test("a record of n references to a page is one look-up and n − 1 hits", () => {
  const p = program();
  expect(run(p, batchOf([[5, REF.WRITE, 3, 4]]))).toBe("0w");
  expect(stats(p.k)).toEqual([7, 6, 0, 1]);
});

test("a page read first and written later faults twice: the zero page, then its own", () => {
  const p = program();
  expect(run(p, batchOf([[5, REF.READ_WRITE, 2, 3]]))).toBe("0r 0w");
  expect(p.mm.anonPages).toBe(1);
  expect(stats(p.k)).toEqual([5, 3, 0, 2]);
});

test("a page written first faults once, however often it is read later", () => {
  const p = program();
  expect(
    run(
      p,
      batchOf([
        [5, REF.WRITE, 9, 1],
        [5, REF.READ, 4, 0],
        [5, REF.READ_WRITE, 1, 1],
      ]),
    ),
  ).toBe("0w");
});

test("executed code passes time and touches no data", () => {
  const p = program();
  expect(run(p, batchOf([[5, REF.EXECUTE, 1000, 0, 250]]))).toBe("");
  expect(p.k.nowNs).toBe(250);
  expect(stats(p.k)).toEqual([0, 0, 0, 0]);
});

test("a gap passes once, also when its record faults twice", () => {
  const p = program();
  run(p, batchOf([[5, REF.READ_WRITE, 1, 1, 10_000]]));
  const references = 2 * COSTS.referencePs + 2 * 4 * COSTS.walkReferencePs;
  expect(p.k.nowNs).toBe(10_000 + references / 1000);
});

test("picoseconds add up over calls", () => {
  const p = program();
  run(p, batchOf([[5, REF.WRITE, 0, 1]]));
  const before = p.k.nowNs * 1000 + p.k.tlb.remainderPs[0]!;
  for (let i = 0; i < 1000; i += 1) run(p, batchOf([[5, REF.WRITE, 0, 1]]));
  expect(p.k.nowNs * 1000 + p.k.tlb.remainderPs[0]! - before).toBe(1000 * COSTS.referencePs);
});

test("a time limit stops between records, and at least one is done", () => {
  const p = program();
  const batch = batchOf([0, 1, 2, 3].map((page) => [page, REF.WRITE, 0, 1, 1000]));
  run(p, batch);
  const startNs = p.k.nowNs;
  let at = runReferences(p.k, 0, batch, p.slotRows, 0, startNs + 2_500, p.cursor);
  expect([at, p.cursor.stop]).toEqual([3, STOP.HORIZON]);
  at = runReferences(p.k, 0, batch, p.slotRows, at, 0, p.cursor);
  expect([at, p.cursor.stop]).toEqual([4, STOP.HORIZON]);
});

test("writing a clean page that is cached walks once more and makes it dirty", () => {
  const p = program();
  run(p, batchOf([[5, REF.WRITE, 0, 1]]));
  const row = asPmdRow(p.slotRows[0]!);
  const pte = pteIndex(p.k.pt, row, asVpn(START + 5));
  p.k.pt.pteFlags[pte] = PTE.PRESENT | PTE.WRITE;
  tlbFlushCpu(p.k.tlb, 0);
  run(p, batchOf([[5, REF.READ, 1, 0]]));
  expect(p.k.pt.pteFlags[pte]).toBe(PTE.PRESENT | PTE.WRITE | PTE.YOUNG);
  const walksBefore = p.k.tlb.stats.walks[0]!;
  expect(
    run(
      p,
      batchOf([
        [5, REF.WRITE, 0, 1],
        [5, REF.WRITE, 0, 1],
      ]),
    ),
  ).toBe("");
  expect(p.k.tlb.stats.walks[0]! - walksBefore).toBe(1);
  expect(p.k.pt.pteFlags[pte]! & PTE.DIRTY).toBe(PTE.DIRTY);
});

test("a page with a NUMA hint faults, even for a reader", () => {
  const p = program();
  run(p, batchOf([[5, REF.WRITE, 0, 1]]));
  const pte = pteIndex(p.k.pt, asPmdRow(p.slotRows[0]!), asVpn(START + 5));
  p.k.pt.pteFlags[pte]! |= PTE.HINT;
  tlbFlushCpu(p.k.tlb, 0);
  expect(runReferences(p.k, 0, batchOf([[5, REF.READ, 1, 0]]), p.slotRows, 0, 1e18, p.cursor)).toBe(0);
  expect(p.cursor.stop).toBe(STOP.FAULT);
});

test("pages of a huge page are told apart by their touched bits, not by the TLB", () => {
  const p = program("always");
  expect(run(p, batchOf([0, 1, 2, 511, 0].map((page) => [page, REF.WRITE, 0, 1])))).toBe("0w");
  expect(p.k.pt.pmd.kind[p.slotRows[0]!]).toBe(PMD.HUGE);
  expect(p.mm.touchedPages).toBe(4);
  expect(stats(p.k)).toEqual([5, 4, 0, 1]);
});

/** Records of random pages, some of them read, of one to three references each. */
function randomRecords(count: number): Written[] {
  const random = makePrng(7);
  return Array.from({ length: count }, () => {
    const references = 1 + below(random, 3);
    const page = below(random, 2) === 0 ? below(random, 8 * 512) : below(random, 90);
    if (below(random, 4) === 0) return [page, REF.READ, references, 0, below(random, 20)];
    return [page, REF.WRITE, 0, references, below(random, 20)];
  });
}

test.each(["never", "always"] as const)("all at once or one by one: the same figures, THP %s", (enabled) => {
  const everyPage: Written[] = Array.from({ length: 8 * 512 }, (_, page) => [page, REF.WRITE, 0, 1]);
  const records = randomRecords(8_000);
  /** So few records at a time are never worth the stepper. */
  const outcome = (atATime: number) => {
    const p = program(enabled);
    for (let at = 0; at < everyPage.length; at += 50) run(p, batchOf(everyPage.slice(at, at + 50)));
    STEPPER?.counts.fill(0);
    for (let at = 0; at < records.length; at += atATime) run(p, batchOf(records.slice(at, at + atATime)));
    const { l1Small } = p.k.tlb.of[0]!;
    return { stats: stats(p.k), ns: p.k.nowNs, ps: p.k.tlb.remainderPs[0], tags: [...l1Small.tags] };
  };
  const oneByOne = outcome(50);
  expect([...STEPPER!.counts]).toEqual([0, 0, 0]);
  expect(outcome(4_000)).toEqual(oneByOne);
  expect(Math.max(...STEPPER!.counts)).toBeGreaterThan(0);
});

test("a script's touch does what a record does", () => {
  const p = program("never", SMALL);
  const vpn = asVpn(START + 5);
  expect(touchOne(p.k, 0, asPmdRow(-1), 0, true)).toBe(false);
  runAlone(handleFault(p.k, p.mm, vpn, true));
  const row = findRow(p.k.pt, p.mm.directory, vpn);
  expect(touchOne(p.k, 0, row, 1, true)).toBe(true);
  expect(touchOne(p.k, 0, row, 2, true)).toBe(false);
  expect(linearPage(p.k.pt, row, vpn)).toBe(row * 4 + 1);
  expect(stats(p.k)).toEqual([1, 0, 0, 1]);
});
