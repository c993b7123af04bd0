/** The building bricks of programs: calls as functions, and references written into a thread's batch. */
import { REF, type RefBatch } from "../records.ts";
import type { Affinity, Body, Item, MemoryCall, ProgramCall, Self } from "./program.ts";
import { type Buffer, bufferAt } from "./space.ts";

/** Records of a batch: many enough to make a call cheap, few enough that time passes in small steps. */
export const BATCH_RECORDS = 1024;
/** Cache lines of a base page. */
export const PAGE_LINES = 64;

/** A step of a program that ends with an answer. */
export type Step<T = void> = Generator<Item, T, void>;

export interface MapOptions {
  readonly shared?: boolean;
  readonly noreserve?: boolean;
  readonly populate?: boolean;
}

/** Maps anonymous memory; undefined when the kernel refuses, with the errno in `self.result`. */
export function* map(self: Self, bytes: number, o: MapOptions = {}): Step<Buffer | undefined> {
  const { shared = false, noreserve = false, populate = false } = o;
  yield { kind: "mmap", bytes, shared, noreserve, populate };
  return self.result < 0 ? undefined : bufferAt(self.space, self.result, bytes);
}

/** A buffer that a child has from its parent: the same addresses, memory of its own. */
export function inherit(self: Self, { start, bytes }: Buffer): Buffer {
  return bufferAt(self.space, start, bytes);
}

const BY_ITSELF = { thread: 0, gap: 0 } as const;

export function unmap({ start, bytes }: Buffer): MemoryCall {
  return { ...BY_ITSELF, kind: "unmap", start, length: bytes };
}

type AdviceWord = Extract<MemoryCall, { readonly kind: "advise" }>["advice"];

export function advise({ start, bytes }: Buffer, advice: AdviceWord): MemoryCall {
  return { ...BY_ITSELF, kind: "advise", start, length: bytes, advice };
}

/** Starts a thread; answers with its number. */
export function* startThread(self: Self, name: string, affinity: Affinity, body: Body): Step<number> {
  yield { kind: "spawn", as: "thread", name, affinity, body };
  return self.result;
}

/** Forks; answers with the child's number. */
export function* fork(self: Self, name: string, affinity: Affinity, body: Body): Step<number> {
  yield { kind: "spawn", as: "process", name, affinity, body };
  return self.result;
}

/** A figure of the program's own for the result. */
export function* tell(figure: string, value: number): Step {
  yield { kind: "tell", figure, value };
}

export function join(thread: number): ProgramCall {
  return { kind: "join", thread };
}

/** Waits for the end of all of them. */
export function* joinAll(threads: readonly number[]): Step {
  for (const thread of threads) yield join(thread);
}

/** Starts `count` threads that all do the same, and waits for their end. */
export function* team(self: Self, count: number, affinity: Affinity, body: (i: number) => Body): Step {
  const threads: number[] = [];
  for (let i = 0; i < count; i++) threads.push(yield* startThread(self, `thread-${i}`, affinity, body(i)));
  yield* joinAll(threads);
}

/** How one visit to a page looks. */
export interface Visit {
  readonly write: boolean;
  /** References to the page in one visit. */
  readonly references: number;
  /** Cache lines of it that have to come from memory. */
  readonly lines: number;
  /** Time that the program computes in front of the visit. */
  readonly gapNs: number;
}

/** Every word of the page is written once and no line of it was in the cache. */
export const ZERO_PAGE: Visit = { write: true, references: 512, lines: PAGE_LINES, gapNs: 0 };
export const READ_PAGE: Visit = { write: false, references: 512, lines: PAGE_LINES, gapNs: 0 };

/** Empties a batch: records are added one by one. */
export function clear(batch: RefBatch): void {
  batch.length = 0;
}

export function isFull(batch: RefBatch): boolean {
  return batch.length === batch.page.length;
}

/** Adds one visit to a page of a buffer. */
export function add(batch: RefBatch, page: number, visit: Visit): void {
  const at = batch.length++;
  batch.page[at] = page;
  batch.kind[at] = visit.write ? REF.WRITE : REF.READ;
  batch.reads[at] = visit.write ? 0 : visit.references;
  batch.writes[at] = visit.write ? visit.references : 0;
  batch.lines![at] = visit.lines;
  batch.gap[at] = visit.gapNs;
}

/** Makes every record of a batch such a visit, all but its page. */
function fill(batch: RefBatch, visit: Visit): void {
  batch.kind.fill(visit.write ? REF.WRITE : REF.READ);
  batch.reads.fill(visit.write ? 0 : visit.references);
  batch.writes.fill(visit.write ? visit.references : 0);
  batch.lines!.fill(visit.lines);
  batch.gap.fill(visit.gapNs);
}

/**
 * Visits the pages `from` to `to` of a buffer in order, until `untilNs` at the latest. True: all were
 * visited.
 */
export function* sweep(
  self: Self,
  buffer: Buffer,
  visit: Visit,
  from = 0,
  to = buffer.pages,
  untilNs = Number.POSITIVE_INFINITY,
): Step<boolean> {
  const { batch } = self;
  const { page: pages } = batch;
  fill(batch, visit);
  for (let page = from; page < to; ) {
    if (self.nowNs >= untilNs) return false;
    const length = Math.min(to - page, pages.length);
    const first = buffer.firstPage + page;
    for (let i = 0; i < length; i++) pages[i] = first + i;
    batch.length = length;
    page += length;
    yield batch;
  }
  return true;
}

/** The i-th of `parts` equal shares of a buffer: pages from … to. */
export function share(
  buffer: Buffer,
  i: number,
  parts: number,
): { readonly from: number; readonly to: number } {
  return {
    from: Math.floor((buffer.pages * i) / parts),
    to: Math.floor((buffer.pages * (i + 1)) / parts),
  };
}
