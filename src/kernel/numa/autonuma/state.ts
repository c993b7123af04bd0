/**
 * AutoNUMA's own memory: the scanner's list of address spaces and its cursor, the queue of each node, and
 * where each page is queued to.
 *
 *     list ─▶ [mm] ─▶ [mm] ─▶ …        node 0: from 1 │▒▒▒│ from 2 │▒│ …     page: last_nid, migrate_nid
 *              ▲ cursor                node 1: from 0 │▒▒▒▒▒│ …
 *
 * Models:       struct mm_autonuma, knuma_scand's scan control, pg_data_t.autonuma_migrate_*,
 *               page_autonuma, AutoNUMA 14 to 28.
 * Not modelled: where these structures are allocated; the compound lock is one of a pool, chosen by frame.
 */
import { type Lock, makeLock } from "../../../core/ops.ts";
import type { Mm } from "../../mm/mm.ts";

/** Of an address space. */
export interface ScannedMm {
  readonly mm: Mm;
  /** On the scanner's list, as far as whoever exits knows. */
  listed: boolean;
  /** How often the scanner has started it. */
  pass: number;
  /** Pages by node as the last pass found them, and as the current one has so far. */
  readonly faults: Float64Array;
  readonly counting: Float64Array;
  total: number;
  /** The pass in which `faults` were last halved, where they count faults. */
  agedPass: number;
}

/** What waits to move to a node. */
export interface NodeQueue {
  readonly lock: Lock;
  /** By source node: heads, the oldest first. */
  readonly lists: readonly Set<number>[];
  /** Base pages in all lists. */
  pages: number;
  /** Its knuma_migratedN is at work. */
  running: boolean;
}

/** What happened, for those who ask: beyond the counters that AutoNUMA shows itself. */
export interface AutonumaFigures {
  queuedPages: number;
  cancelledPages: number;
  queuePeakPages: number;
  isolatedPages: number;
  movedPages: number;
  failedPages: number;
  /** Off the queue and not isolated: the review's "losing page". */
  lostPages: number;
  rotatedPages: number;
  /** What the scanner called progress, and the entries that it marked. */
  progressPages: number;
  markedPages: number;
  /** Rounds in which it had nothing to scan and said it had. */
  pretendedRounds: number;
}

export interface AutonumaState {
  /** Guards the list and the cursor; every fork and exit takes it. */
  readonly mutex: Lock;
  readonly list: ScannedMm[];
  readonly mms: Map<number, ScannedMm>;
  cursor: ScannedMm | undefined;
  /** The scanner has been told to end. */
  stopping: boolean;
  /** Where the cursor's scan goes on, as a page number. */
  address: number;
  readonly queues: readonly NodeQueue[];
  readonly compoundLocks: readonly Lock[];
  /** By frame, heads only: the node that the page waits for + 1; 0: none. Made at the first enqueue. */
  migrateNid: Uint8Array | undefined;
  /** By frame: the node whose list it is on. */
  queuedFrom: Uint8Array | undefined;
  pagesScanned: number;
  fullScans: number;
  pagesMigrated: number;
  readonly figures: AutonumaFigures;
  /** Starts a node's migrator: given by whoever drives the daemons. */
  onWake: ((node: number) => void) | undefined;
}

/** Compound locks: more than a huge page has base pages, so that a head and its tails differ. */
const COMPOUND_LOCKS = 4096;

export function makeAutonuma(nodes: number): AutonumaState {
  return {
    mutex: makeLock("autonuma_mm", "knumad_mm_mutex"),
    list: [],
    mms: new Map(),
    cursor: undefined,
    stopping: false,
    address: 0,
    queues: Array.from({ length: nodes }, (_, node) => ({
      lock: makeLock("autonuma_queue", "autonuma_lock of node " + node),
      lists: Array.from({ length: nodes }, () => new Set<number>()),
      pages: 0,
      running: false,
    })),
    compoundLocks: Array.from({ length: COMPOUND_LOCKS }, (_, i) => makeLock("compound", "compound " + i)),
    migrateNid: undefined,
    queuedFrom: undefined,
    pagesScanned: 0,
    fullScans: 0,
    pagesMigrated: 0,
    figures: {
      queuedPages: 0,
      cancelledPages: 0,
      queuePeakPages: 0,
      isolatedPages: 0,
      movedPages: 0,
      failedPages: 0,
      lostPages: 0,
      rotatedPages: 0,
      progressPages: 0,
      markedPages: 0,
      pretendedRounds: 0,
    },
    onWake: undefined,
  };
}

/** The bit lock of a page's own head word. */
export function compoundLock(a: AutonumaState, pfn: number): Lock {
  return a.compoundLocks[pfn % COMPOUND_LOCKS]!;
}
