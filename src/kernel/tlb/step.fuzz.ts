/**
 * Strategy: two CPUs with equal TLBs, in which some entries were cached before their pages were written; then
 * random records, on one through the stepper, on the other through `lookUp`, one by one.
 *
 * Invariants: the same are hits and walks, the same record has to stop, and all tags are the same in the end.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { renderStepCode, STEP_CODE_FILE } from "../../../tools/tlb-step.ts";
import { geometryOf } from "../../core/geometry.ts";
import { makePageTables, type PageTables, PMD, PTE } from "../mm/page-table.ts";
import { lookUp } from "./fast.ts";
import { IN_SECOND } from "./lookup.ts";
import { isStepped, runSteps, STEP, STEP_WAYS, STEPPER } from "./step.ts";
import { type CpuTlb, makeTlb } from "./tlb.ts";

const GEOMETRY = geometryOf(2);
const PAGES = GEOMETRY.pagesPerHuge;
const ROWS = 48;
const MAPPED = PTE.PRESENT | PTE.WRITE | PTE.YOUNG;
const STALE_CLEAN_RATIO = 0.2;

/** Every third row is a huge page. */
function mapped(): PageTables {
  const pt = makePageTables(GEOMETRY, ROWS);
  for (let row = 0; row < ROWS; row += 1) {
    pt.pmd.kind[row] = row % 3 === 0 ? PMD.HUGE : PMD.TABLE;
    pt.pmd.value[row] = row;
  }
  return pt;
}

function allowAll(pt: PageTables, flags: number): void {
  pt.pmd.flags.fill(flags);
  pt.pteFlags.fill(flags);
}

interface Reference {
  readonly linear: number;
  readonly write: boolean;
}

const reference: fc.Arbitrary<Reference> = fc.record({
  linear: fc.oneof(fc.nat(ROWS * PAGES - 1), fc.nat(5 * PAGES)),
  write: fc.boolean(),
});

function lookUpOne(pt: PageTables, t: CpuTlb, { linear, write }: Reference): number {
  return lookUp(pt, t, pt.pmd.kind[linear >>> GEOMETRY.hugeOrder]!, linear, write ? 1 : 0);
}

function fill({ linear, outlook }: NonNullable<typeof STEPPER>, records: readonly Reference[]): void {
  const isHuge = (page: number) => (page >>> GEOMETRY.hugeOrder) % 3 === 0;
  for (const [i, record] of records.entries()) {
    linear[i] = record.linear;
    outlook[i] = (isHuge(record.linear) ? STEP.HUGE : STEP.SMALL) | (record.write ? STEP.WRITES : 0);
  }
}

/** Entries of both CPUs, some of which are clean although their pages have been written since. */
function cacheOnBoth(pt: PageTables, cpus: readonly CpuTlb[], references: readonly Reference[]): void {
  for (const [i, { linear }] of references.entries()) {
    allowAll(pt, i % (1 / STALE_CLEAN_RATIO) === 0 ? MAPPED : MAPPED | PTE.DIRTY);
    for (const t of cpus) lookUpOne(pt, t, { linear, write: false });
  }
  allowAll(pt, MAPPED | PTE.DIRTY);
}

function compare(ways: number, huge: boolean, before: readonly Reference[], records: readonly Reference[]) {
  const tlb = makeTlb(
    {
      l1Small: { entries: 16, ways: 4 },
      l1Huge: huge ? { entries: 8, ways: 4 } : "shared",
      l2: { entries: 4 * ways, ways, hugeWays: ways },
      walkCaches: "none",
    },
    2,
    GEOMETRY.hugeOrder,
  );
  const [stepped, twin] = tlb.of as [CpuTlb, CpuTlb];
  const pt = mapped();
  cacheOnBoth(pt, tlb.of, before);
  fill(STEPPER!, records);
  const done = runSteps(STEPPER!, stepped, records.length);
  const found = records.slice(0, done).map((record) => lookUpOne(pt, twin, record));
  const walks = found.filter((each) => each > 0);
  const { counts, walked } = STEPPER!;
  expect([...counts]).toEqual([
    found.filter((each) => each === IN_SECOND).length,
    walks.filter((each) => each === 4).length,
    walks.filter((each) => each === 3).length,
  ]);
  expect([...walked.subarray(0, done)]).toEqual(found.map((each) => (each > 0 ? 1 : 0)));
  // The one that it stopped at is a write to an entry that is cached clean: whoever goes on walks.
  for (const t of done < records.length ? tlb.of : [])
    expect(lookUpOne(pt, t, records[done]!)).toBeGreaterThan(0);
  expect([...stepped.l1Small.tags]).toEqual([...twin.l1Small.tags]);
}

test("this Node has WebAssembly with vectors", () => {
  expect(STEPPER).toBeDefined();
});

test.each(STEP_WAYS.flatMap((ways) => [[ways, true] as const, [ways, false] as const]))(
  "second level of %i ways, first levels of their own %s: as one look-up after the other",
  (ways, own) => {
    const references = fc.array(reference, { maxLength: 300, size: "max" });
    fc.assert(
      fc.property(references, references, (before, records) => compare(ways, own, before, records)),
      { numRuns: 60 },
    );
  },
);

test("TLBs of other shapes are not for it", () => {
  const small = { entries: 16, ways: 4 };
  const shape = (l1Ways: number, l2Ways: number) => {
    const l1Small = { entries: 2 * l1Ways, ways: l1Ways };
    const l2 = { entries: 2 * l2Ways, ways: l2Ways, hugeWays: l2Ways };
    return isStepped(makeTlb({ l1Small, l1Huge: small, l2, walkCaches: "none" }, 1).of[0]!);
  };
  expect([shape(4, 12), shape(8, 12), shape(4, 6), shape(4, 24)]).toEqual([true, false, false, false]);
});

test("step-code.ts is what tools/tlb-step.ts says (npm run wasm)", async () => {
  expect(readFileSync(STEP_CODE_FILE, "utf8")).toBe(await renderStepCode());
});
