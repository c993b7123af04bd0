/**
 * Many look-ups in one go, by vector instructions: what `lookup.ts` says of references whose page table
 * entries allow them and stay as they are, on TLBs with a first level of four ways.
 *
 *     tags of a CPU ─▶ [ this module's memory: records, tags ] ─▶ step ─▶ tags back, counts, who walked
 *
 * The code is WebAssembly, made by tools/tlb-step.ts: a set is compared, and put in its new order, without a
 * branch. (Measured on random and Zipf streams: a third of the time of the same in a loop over typed arrays,
 * whose branches nobody can foretell.) Where there is no WebAssembly with vectors, callers go on without.
 *
 * Models:       two-level x86 data TLBs, as `lookup.ts` does.
 * Not modelled: nothing beyond what `lookup.ts` leaves out.
 */
import { STEP_CODE } from "./step-code.ts";
import type { CpuTlb } from "./tlb.ts";

/** Ways that a second level may have. */
export const STEP_WAYS = [4, 8, 12, 16] as const;

/** Bits of a record's `outlook`; 4 is the caller's own. */
export const STEP = { SMALL: 1, HUGE: 2, WRITES: 8 } as const;

/** Records that are looked up at a time, at most. */
export const STEP_RECORDS = 1024;

const TAGS_MAX = 16_384;

/** Bytes of the module's memory: four byte orders, what was counted, records, tags. */
const COUNTS_BYTE = 64;
const LINEAR_BYTE = 256;
const OUTLOOK_BYTE = LINEAR_BYTE + 4 * STEP_RECORDS;
const WALKED_BYTE = OUTLOOK_BYTE + STEP_RECORDS;
const TAGS_BYTE = WALKED_BYTE + STEP_RECORDS;
export const MEMORY = {
  counts: COUNTS_BYTE,
  linear: LINEAR_BYTE,
  outlook: OUTLOOK_BYTE,
  walked: WALKED_BYTE,
  tags: TAGS_BYTE,
} as const;

/** What JavaScript has of WebAssembly, everywhere. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

const PAGE_BYTES = 65_536;

/**
 * The answer is how many records were done: fewer than `count` where the next one must walk to be written.
 */
type Step = (
  count: number,
  l1Small: number,
  l1SmallMask: number,
  l1Huge: number,
  l1HugeMask: number,
  l2: number,
  l2Mask: number,
  hugeOrder: number,
) => number;

export interface Stepper {
  /** Linear pages of the records. */
  readonly linear: Int32Array;
  /** `STEP`: a base page or a huge one; and whether the record writes. */
  readonly outlook: Uint8Array;
  /** 1 for each record that was in neither level. */
  readonly walked: Uint8Array;
  /** Second-level hits, walks to base pages and walks to huge pages of the last run. */
  readonly counts: Int32Array;
  /** Room for the tags of a CPU, by their number: one view for each number that there has been. */
  readonly tags: Map<number, Int32Array>;
  readonly buffer: ArrayBuffer;
  readonly steps: Readonly<Record<number, Step>>;
}

function makeStepper(): Stepper {
  const memory = new WebAssembly.Memory({ initial: Math.ceil((TAGS_BYTE + 4 * TAGS_MAX) / PAGE_BYTES) });
  const code = Uint8Array.from(STEP_CODE.match(/[0-9a-f]{2}/g)!, (byte) => Number.parseInt(byte, 16));
  const imports = { step: { memory } };
  const exported = new WebAssembly.Instance(new WebAssembly.Module(code), imports).exports;
  const { buffer } = memory;
  writeOrders(new Uint8Array(buffer, 0, COUNTS_BYTE));
  return {
    linear: new Int32Array(buffer, LINEAR_BYTE, STEP_RECORDS),
    outlook: new Uint8Array(buffer, OUTLOOK_BYTE, STEP_RECORDS),
    walked: new Uint8Array(buffer, WALKED_BYTE, STEP_RECORDS),
    counts: new Int32Array(buffer, COUNTS_BYTE, 3),
    tags: new Map(),
    buffer,
    steps: Object.fromEntries(
      STEP_WAYS.map((ways) => [ways, (exported as Record<string, Step>)[`step${ways}`]!]),
    ),
  };
}

/** For each lane, the order of a vector's bytes that has it in front and the others as they were. */
function writeOrders(orders: Uint8Array): void {
  for (let front = 0; front < 4; front += 1) {
    const lanes = [front, ...[0, 1, 2, 3].filter((lane) => lane !== front)];
    for (let byte = 0; byte < 16; byte += 1) orders[16 * front + byte] = 4 * lanes[byte >>> 2]! + (byte & 3);
  }
}

/** One for all TLBs: nobody keeps anything in it from one run to the next. Undefined: not to be had here. */
export const STEPPER: Stepper | undefined = tryStepper();

function tryStepper(): Stepper | undefined {
  try {
    return makeStepper();
  } catch {
    return undefined;
  }
}

/** Whether a TLB has a shape that the stepper knows. */
export function isStepped({ flat, l1Small, l2 }: CpuTlb): boolean {
  return STEPPER !== undefined && flat && l2.ways in STEPPER.steps && l1Small.tags.length <= TAGS_MAX;
}

/** Looks up `count` records, at most STEP_RECORDS, of `linear` and `outlook`; answers how many were done. */
export function runSteps(
  stepper: Stepper,
  { l1Small, l1Huge, l2, hugeOrder }: CpuTlb,
  count: number,
): number {
  const { tags } = l1Small;
  const room = roomFor(stepper, tags.length);
  room.set(tags);
  const done = stepper.steps[l2.ways]!(
    count,
    TAGS_BYTE + 4 * l1Small.base,
    l1Small.setMask,
    TAGS_BYTE + 4 * l1Huge.base,
    l1Huge.setMask,
    TAGS_BYTE + 4 * l2.base,
    l2.setMask,
    hugeOrder,
  );
  tags.set(room);
  return done;
}

function roomFor({ tags, buffer }: Stepper, length: number): Int32Array {
  const known = tags.get(length);
  if (known !== undefined) return known;
  const room = new Int32Array(buffer, TAGS_BYTE, length);
  tags.set(length, room);
  return room;
}
