/**
 * knuma_scand: one kernel thread that goes through every address space, marks 128 MiB, and sleeps 100 ms.
 *
 *     mutex ▸ cursor's mm ▸ unlock ─▶ mmap lock (read) ─▶ areas from the cursor ─▶ mutex ▸ move the cursor
 *        └── list done: sleep, wake the migrators, sleep (28: one sleep)
 *
 * *Progress* is what paces it, and not what it did: a shared or marked huge page counts as 512, an area that
 * is skipped as 1, and an empty list as a full budget.
 *
 * Models:       knuma_scand(), knumad_do_scan(), AutoNUMA 14 to 28 (mm/autonuma.c).
 * Not modelled: freezing; a write to a pause's knob wakes nobody.
 */
import { type Path, PREEMPT, sleepOp } from "../../../core/ops.ts";
import { asVpn, MS_NS, NO_ROW, type Vpn } from "../../../core/units.ts";
import { vpnOfRow } from "../../mm/page-table.ts";
import { nextUsedRow } from "../../mm/tables.ts";
import { VM, type Vma, vmaIndex } from "../../mm/vma.ts";
import { lruDrainAll } from "../../reclaim/lru.ts";
import type { Kernel } from "../../state.ts";
import { flushRange } from "../../tlb/shootdown.ts";
import { enlist } from "./life.ts";
import { markRegion } from "./mark.ts";
import { autonuma, autonumaForm, isEnabled, KNOB, knobNumber } from "./of.ts";
import { wakeMigrator } from "./queue.ts";
import type { AutonumaState, ScannedMm } from "./state.ts";

/** The daemon: ends only when it is told to, between two slices. */
export function* knumaScand(k: Kernel): Path {
  const a = autonuma(k);
  let progress = 0;
  let total = 0;
  yield a.mutex.acquire;
  while (!a.stopping) {
    if (autonumaForm(k).listed === "scanner" && a.cursor === undefined) listAll(k);
    const slice = isEnabled(k) ? yield* scanSlice(k, a) : knobNumber(k, KNOB.PAGES_TO_SCAN);
    progress += slice;
    total += slice;
    a.figures.progressPages += slice;
    const passOver = a.cursor === undefined;
    yield a.mutex.release;
    if (passOver) {
      a.fullScans += 1;
      a.pagesScanned += total;
      total = 0;
      yield* sleepThroughPass(k, a);
    }
    if (progress > knobNumber(k, KNOB.PAGES_TO_SCAN)) {
      progress = 0;
      yield sleepOp(knobNumber(k, KNOB.SCAN_SLEEP) * MS_NS);
    } else {
      yield PREEMPT;
    }
    yield a.mutex.acquire;
  }
  forgetPlace(k, a);
  yield a.mutex.release;
}

/** The scanner ends while it is at an address space: only one that exits is nobody else's to unlink. */
function forgetPlace(k: Kernel, a: AutonumaState): void {
  const entry = a.cursor;
  a.cursor = undefined;
  if (entry === undefined) return;
  const exiting = entry.mm.users === 0;
  if (!exiting && autonumaForm(k).stopped === "unlinks-exiting") return;
  a.list.splice(a.list.indexOf(entry), 1);
  if (exiting) entry.listed = false;
}

/** The review's wish: whoever lives when a pass begins is listed by the scanner itself. */
function listAll(k: Kernel): void {
  for (const mm of k.mms) if (mm !== undefined && mm.users > 0) enlist(k, mm);
}

/** The pause between two passes; halfway the migrators have their turn. */
function* sleepThroughPass(k: Kernel, a: AutonumaState): Path {
  const { pause } = autonumaForm(k);
  const pauseNs = knobNumber(k, KNOB.PASS_SLEEP) * MS_NS;
  if (pause === "once") {
    yield sleepOp(pauseNs);
    lruDrainAll(k);
    return;
  }
  const sleepNs = pause === "twice" ? pauseNs : pauseNs / 2;
  yield sleepOp(sleepNs);
  if (isEnabled(k)) for (let node = 0; node < k.machine.nodes; node++) wakeMigrator(a, node);
  yield sleepOp(sleepNs);
}

/** One slice of one address space; with the mutex before and after. What it calls progress. */
function* scanSlice(k: Kernel, a: AutonumaState): Path<number> {
  const limit = knobNumber(k, KNOB.PAGES_TO_SCAN);
  if (a.cursor === undefined) {
    if (a.list.length === 0) {
      a.figures.pretendedRounds += 1;
      return limit;
    }
    startOn(a, a.list[0]!);
  }
  const entry = a.cursor!;
  const { mm } = entry;
  let address = a.address;
  yield a.mutex.release;
  yield mm.mmapLock.acquireRead;
  let progress = 1;
  let at = mm.users === 0 ? mm.vmas.length : vmaIndex(mm, address);
  for (; at < mm.vmas.length && progress < limit; at++) {
    const vma = mm.vmas[at]!;
    if (mm.users === 0 || !isScanned(vma)) {
      progress += 1;
      if (mm.users === 0) break;
      continue;
    }
    const end = yield* scanArea(k, entry, vma, Math.max(address, vma.start), limit - progress);
    progress += end.progress;
    address = end.vpn;
    if (end.vpn < vma.end) break;
  }
  const done = mm.users === 0 || at >= mm.vmas.length;
  yield mm.mmapLock.releaseRead;
  yield a.mutex.acquire;
  a.address = address;
  if (done) advance(k, a, entry);
  return progress;
}

function startOn(a: AutonumaState, entry: ScannedMm): void {
  a.cursor = entry;
  entry.pass += 1;
  a.address = 0;
}

/** Private memory without a placement of its own. */
function isScanned({ flags, shared, anonVma }: Vma): boolean {
  return anonVma !== undefined && shared === undefined && (flags & (VM.FILE | VM.UNKNOWN)) === 0;
}

interface Scanned {
  readonly vpn: Vpn;
  readonly progress: number;
}

/** An area from `start` on, until the budget is used; one flush of what was gone through, always. */
function* scanArea(k: Kernel, entry: ScannedMm, vma: Vma, start: number, budget: number): Path<Scanned> {
  const n = k.geometry.pagesPerHuge;
  let progress = 0;
  let vpn = start;
  for (let row = nextUsedRow(k, vma.mm, vpn, vma.end); progress < budget; ) {
    if (row === NO_ROW) {
      vpn = vma.end;
      break;
    }
    const first = vpnOfRow(k.pt, row);
    vpn = Math.min(first + n, vma.end);
    progress += yield* markRegion(k, entry, row, Math.max(first, start), vpn);
    row = nextUsedRow(k, vma.mm, first + n, vma.end);
  }
  if (vpn > start) yield flushRange(k, vma.mm, asVpn(start), vpn - start, "scan");
  return { vpn: asVpn(vpn), progress };
}

/** The address space is through: its statistics hold, the cursor moves on. */
function advance(k: Kernel, a: AutonumaState, entry: ScannedMm): void {
  const at = a.list.indexOf(entry);
  const next = a.list[at + 1];
  a.cursor = undefined;
  if (next !== undefined) startOn(a, next);
  if (entry.mm.users === 0) {
    a.list.splice(at, 1);
    // Its exit must not unlink it once more.
    if (autonumaForm(k).unlink === "marked") entry.listed = false;
    return;
  }
  if (autonumaForm(k).statistics === "resident") flushStatistics(entry);
}

/** What the pass counted becomes what the balancer reads. */
function flushStatistics(entry: ScannedMm): void {
  entry.total = 0;
  for (let node = 0; node < entry.faults.length; node++) {
    entry.faults[node] = entry.counting[node]!;
    entry.total += entry.counting[node]!;
    entry.counting[node] = 0;
  }
}
