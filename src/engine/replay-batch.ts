/** Replays one batch of references: the hot loop until a reference needs a fault, the fault, and on. */
import type { Path } from "../core/ops.ts";
import { asVpn, NO_ROW, type Vpn } from "../core/units.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import { findVma, insertVma, VM, vmaIndex } from "../kernel/mm/vma.ts";
import { recordHeat } from "../metrics/recorder.ts";
import type { RefBatch } from "../workloads/records.ts";
import { sampleTo } from "./driver.ts";
import { CHARGED_RECORDS, chargeMemory, isCharged } from "./memory-access.ts";
import { runReferences, STOP } from "./references.ts";
import { type Replay, type ReplayThread, refreshSlots, rowOfSlot, slotStart } from "./replay-state.ts";
import { countTry, fault, faultOutcome, returnToUser } from "./session.ts";

/** Replays a batch to its end. */
export function* runBatch(replay: Replay, thread: ReplayThread, batch: RefBatch): Path {
  const { session } = replay;
  const { k, d } = session;
  const { mm } = thread.process;
  const { cursor } = thread;
  const { length } = batch;
  const charged = isCharged(k, batch);
  let tries = 0;
  for (let at = 0; at < length; ) {
    const before = at;
    // Other threads may have unmapped memory since.
    refreshSlots(replay);
    const startNs = k.nowNs;
    if (charged) batch.length = Math.min(length, at + CHARGED_RECORDS);
    // When nobody else's time comes before the next look at memory, the loop stops there, and goes on.
    const looks = d.sampleAtNs <= d.horizonNs && d.sampleAtNs < d.programLimitNs;
    const limitNs = looks && !charged ? d.sampleAtNs : d.programLimitNs;
    at = runReferences(k, k.cpu, batch, replay.slotRows, at, limitNs, cursor);
    if (charged) {
      batch.length = length;
      if (at > before) chargeMemory(k, batch, replay.slotRows, before, at, startNs);
      if (cursor.stop === STOP.END && k.nowNs >= d.programLimitNs) cursor.stop = STOP.HORIZON;
    }
    if (at > before) {
      tries = 0;
      warm(replay, thread, batch, before, at);
    }
    if (looks) sampleTo(d, k.nowNs);
    if (cursor.stop === STOP.HORIZON && k.nowNs < d.programLimitNs) continue;
    if (cursor.stop === STOP.HORIZON) yield returnToUser(session);
    if (cursor.stop !== STOP.FAULT) continue;
    countTry(tries++);
    const slot = batch.page[at]! >>> 9;
    const knew = replay.slotRows[slot]! >= 0;
    if (rowOfSlot(replay, mm, slot) !== NO_ROW && !knew) continue;
    const vpn = asVpn(slotStart(replay, slot) + (batch.page[at]! & 511));
    let done = mayAccess(mm, vpn, cursor.faultWrite) || coverUnknown(mm, vpn);
    if (done) {
      const startNs = k.nowNs;
      yield fault(session, mm, vpn, cursor.faultWrite);
      const outcome = faultOutcome(session, mm, startNs);
      if (outcome === "oom") return;
      done = outcome !== "segv";
    }
    if (!done) {
      replay.skipped++;
      cursor.progress = 0;
      at++;
    }
  }
}

/** A recording counts the references to each region. A record of a fault alone is one reference. */
function warm(
  { session: { recorder }, trace }: Replay,
  { process }: ReplayThread,
  batch: RefBatch,
  from: number,
  to: number,
): void {
  if (recorder === undefined) return;
  for (let i = from; i < to; i++) {
    const vpn = trace.regions.region[batch.page[i]! >>> 9]! * 512;
    recordHeat(recorder, process.mm, vpn, Math.max(1, batch.reads[i]! + batch.writes[i]!));
  }
}

function mayAccess(mm: Mm, vpn: Vpn, write: boolean): boolean {
  const vma = findVma(mm, vpn);
  return vma !== undefined && (vma.flags & (write ? VM.WRITE : VM.READ | VM.WRITE | VM.EXEC)) !== 0;
}

const UNKNOWN_FLAGS = VM.READ | VM.WRITE | VM.EXEC | VM.FILE | VM.UNKNOWN;

/**
 * Makes an area for a page that the program uses but the trace never mapped (the program's own segments, its
 * stack), or lets an area that the trace knows too little of be used. False if the access is really not
 * allowed.
 */
function coverUnknown(mm: Mm, vpn: Vpn): boolean {
  const known = findVma(mm, vpn);
  if (known !== undefined) {
    if ((known.flags & VM.FILE) === 0) return false;
    known.flags |= VM.READ | VM.WRITE | VM.EXEC;
    return true;
  }
  const at = vmaIndex(mm, vpn);
  const before = mm.vmas[at - 1];
  if (before !== undefined && before.end === vpn && before.flags === UNKNOWN_FLAGS) {
    before.end = asVpn(vpn + 1);
    return true;
  }
  const [start, end] = unknownWindow(
    mm,
    vpn,
    before?.end ?? 0,
    mm.vmas[at]?.start ?? Number.POSITIVE_INFINITY,
  );
  insertVma(mm, {
    mm,
    start,
    end,
    flags: UNKNOWN_FLAGS,
    pgoff: start,
    anonVma: undefined,
    chain: [],
    readAhead: undefined,
    hasReservations: false,
    shared: undefined,
  });
  return true;
}

/** Pages of a segment that one fault maps around itself, so that its neighbours are known with it. */
const AROUND_PAGES = 16;

/**
 * The page alone where the trace tells of every fault; else the aligned window that a file's fault would map.
 */
function unknownWindow(mm: Mm, vpn: Vpn, floor: number, ceiling: number): readonly [start: Vpn, end: Vpn] {
  if (mm.filePagesFromTrace) return [vpn, asVpn(vpn + 1)];
  const first = vpn - (vpn % AROUND_PAGES);
  return [asVpn(Math.max(first, floor)), asVpn(Math.min(first + AROUND_PAGES, ceiling))];
}
