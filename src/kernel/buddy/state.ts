/**
 * State of the page allocator: zones with their free lists, per-CPU lists and watermarks.
 *
 *     node ──▶ zones (DMA, DMA32, Normal) ──▶ free lists: order × migratetype
 *                                        └──▶ per-CPU lists: order 0–3 × type, and one of huge blocks
 *
 * A free block below the huge order is marked in its first frame (FRAME.BUDDY, order in `anonVma`) and linked
 * through `frames.next/prev`. A larger one is marked and linked in its pageblock's row alone, so that memory
 * that was never used touches no frame column. The two ends of a list point back at it: a link below zero is
 * `-2 - list`.
 *
 * Models:       include/linux/mmzone.h struct zone, free_area, per_cpu_pages, v6.1.
 * Not modelled: Movable, HighMem and Device zones, CMA, isolated pageblocks, memory hotplug.
 */
import type { Geometry } from "../../core/geometry.ts";
import type { Lock } from "../../core/ops.ts";
import type { NodeId } from "../../core/units.ts";
import type { Blocks, Frames } from "../mm/frames.ts";

/** Migratetypes of pageblocks and free lists. Movable is 0, because every pageblock starts so. */
export const MIGRATE = { MOVABLE: 0, UNMOVABLE: 1, RECLAIMABLE: 2, HIGHATOMIC: 3 } as const;
export const MIGRATE_TYPES = 4;
/** Types that per-CPU lists keep apart, and that free blocks of different types may merge across. */
export const PCP_TYPES = 3;

/** Zone kinds, in order of address; also the index into `lowmemReservePages`. */
export const ZONE = { DMA: 0, DMA32: 1, NORMAL: 2 } as const;
export const ZONE_NAMES = ["DMA", "DMA32", "Normal"] as const;

/** No free block, an empty list. */
export const NONE = -1;

/** Lists of one CPU for one zone. Touched by that CPU alone, or by a drain. */
export interface Pcp {
  /** Base pages in all lists. */
  countPages: number;
  /** Pages that a refill or a return moves at once. */
  batchPages: number;
  highPages: number;
  /** Doubles what is given back while frees follow one another without an allocation. */
  freeFactor: number;
  /** First and last frame of each list: see `pcpList`. */
  readonly heads: Int32Array;
  readonly tails: Int32Array;
}

/** State of compaction in one zone. */
export interface CompactState {
  /** Where the scanners of the next run start; NONE: at the zone's ends. */
  migrateFromAsync: number;
  migrateFromSync: number;
  freeFrom: number;
  /** Deferral: how many attempts were skipped, of how many (log2), and from which order on. */
  considered: number;
  deferShift: number;
  orderFailed: number;
  /**
   * Direct runs have been through the whole zone: kswapd forgets the skipped pageblocks when it goes to
   * sleep.
   */
  skipsStale: boolean;
}

export interface Zone {
  readonly id: number;
  readonly node: NodeId;
  readonly kind: number;
  readonly startPfn: number;
  /** First frame behind it. */
  readonly endPfn: number;
  managedPages: number;
  /** Of these, what the kernel itself has allocated by the time programs start; never freed. */
  takenPages: number;
  /** Pages in the free lists, without per-CPU lists. */
  freePages: number;
  /** Free blocks of each order, all types. */
  readonly counts: Int32Array;
  /**
   * First and last block of each list (order × MIGRATE_TYPES + type): a frame, or a pageblock from hugeOrder
   * on.
   */
  readonly heads: Int32Array;
  readonly tails: Int32Array;
  minPages: number;
  lowPages: number;
  highPages: number;
  /** Watermark boost after a fallback that mixed types; kswapd takes it away. */
  boostPages: number;
  /** A fallback raised the boost: wake kswapd once the allocation is through. */
  boosted: boolean;
  highatomicPages: number;
  /** Kept from requests that could have used zones up to that kind. */
  readonly lowmemReservePages: Int32Array;
  /** Direct reclaim runs here: per-CPU lists are kept short. */
  reclaiming: number;
  readonly lock: Lock;
  readonly pcps: readonly Pcp[];
  readonly compact: CompactState;
}

/** What kswapd of a node was asked for. */
export interface KswapdState {
  /** True from a wake-up until a run has balanced the node. */
  wanted: boolean;
  /** Largest order that a waker asked for. */
  order: number;
  /** Order that kcompactd was asked for by others than kswapd; 0: none. */
  compactOrder: number;
  /** Runs without progress; after 16 the node is left to direct reclaim. */
  failures: number;
  running: boolean;
}

export interface NodeMemory {
  readonly id: NodeId;
  /** In order of address. */
  readonly zones: readonly Zone[];
  /** All zones of the machine as requests of this node try them. */
  readonly zonelist: readonly Zone[];
  readonly kswapd: KswapdState;
}

export interface Buddy {
  readonly geometry: Geometry;
  readonly frames: Frames;
  readonly blocks: Blocks;
  readonly zones: readonly Zone[];
  readonly nodes: readonly NodeMemory[];
  /** Zone id of each pageblock. */
  readonly zoneOfBlock: Uint8Array;
  /** 1 for pageblocks in which compaction found nothing to move, or no frame to move to. */
  readonly compactSkip: Uint8Array;
  /** CPUs of each node. */
  readonly cpusOfNode: readonly number[];
  /** Largest order in per-CPU lists apart from hugeOrder. */
  readonly pcpOrderMax: number;
  /** Per-CPU lists keep huge blocks, too, and tune themselves. */
  readonly pcpHuge: boolean;
  /** Orders above it are never worth a loop or an OOM kill. */
  readonly costlyOrder: number;
  /** Migratetypes are kept apart, and watermarks boosted where they mix. */
  readonly avoidsFragmentation: boolean;
  /** Largest min_free_kbytes computed from memory alone. */
  readonly minFreeKbMax: number;
  /** Pages in the free lists of all zones. */
  freePages: number;
  /** vm.min_free_kbytes as it is in effect. */
  minFreeKb: number;
  /** Told when kswapd of a node is wanted and does not run; the driver then starts `kswapd(k, node)`. */
  onKswapdWake: ((node: NodeId) => void) | undefined;
}

/** The zone of a frame. */
export function zoneOf(b: Buddy, pfn: number): Zone {
  return b.zones[b.zoneOfBlock[pfn >> b.geometry.hugeOrder]!]!;
}

/** The node of a frame. */
export function nodeOfFrame(b: Buddy, pfn: number): NodeId {
  return zoneOf(b, pfn).node;
}
