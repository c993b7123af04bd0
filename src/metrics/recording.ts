/**
 * What is kept of a run when somebody wants to look at it step by step: the page's views and the exports to
 * other tools are made of it. Plain data in columns, so that a worker hands it over without copying.
 *
 *     samples   figures and counters at the moments of `Result.series`
 *     events    faults and what the kernel told, in order of time
 *     map       the state of every page, as changes between looks
 *     courses   the steps of faults; equal courses are kept once
 *     tracks    when daemons had a CPU
 *
 * A run that does not ask for it keeps none of it (`SimulateOptions.record`).
 */

/** Figures at moments; all arrays have the length of `tNs`. */
export interface Samples {
  readonly tNs: Float64Array;
  /** Every counter of /proc/vmstat that changed in the run, by its kernel name. */
  readonly counters: Readonly<Record<string, Float64Array>>;
  /** Memory by kind, in kB: see `MEMORY_KINDS`. */
  readonly memoryKb: Readonly<Record<MemoryKind, Float64Array>>;
  /** Mapped pages on each node, in kB. */
  readonly nodeKb: readonly Float64Array[];
}

/** What memory is used for, from the bottom of a stack to its top. */
export const MEMORY_KINDS = ["huge", "base", "reserved", "file", "page-tables"] as const;
/** `free` and `swap` stand beside the stack: they are not resident. */
export type MemoryKind = (typeof MEMORY_KINDS)[number] | "free" | "swap";

/** Events in columns; `code` is one of `EVENT` in core/events.ts, where the numbers a, b, c, d are named. */
export interface EventColumns {
  readonly count: number;
  readonly tNs: Float64Array;
  readonly code: Uint8Array;
  readonly cpu: Uint8Array;
  /** Index into `Recording.tasks`. */
  readonly task: Uint16Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly c: Int32Array;
  readonly d: Float64Array;
  /** Of faults: the frame (or swap slot) that the page had before and has afterwards, or -1. */
  readonly before: Int32Array;
  readonly after: Int32Array;
  /** Of faults: index into `Recording.courses`, or -1 when its steps were not kept. */
  readonly course: Int32Array;
  /** Events that came when there was no more room. */
  readonly dropped: number;
}

/** Bits of a page's state in the map. */
export const PAGE = {
  KIND: 7,
  ABSENT: 0,
  /** Anonymous, mapped by a PTE. */
  BASE: 1,
  /** Anonymous, mapped by a huge PMD. */
  HUGE: 2,
  /** Reserved for this place and not used yet. */
  RESERVED: 3,
  /** A file's or shared page. */
  FILE: 4,
  SWAPPED: 5,
  /** The shared zero page, small or huge. */
  ZERO: 6,
  /** The program has touched it since it was mapped. */
  TOUCHED: 8,
  /** Another address space maps the same frame. */
  SHARED: 16,
  /** Node of its frame, in bits 5 to 7. */
  NODE_SHIFT: 5,
} as const;

/** A region of one address space, the size of a huge page. */
export interface MapRegion {
  /** Index into `Recording.mms`. */
  readonly mm: number;
  readonly vpn: number;
}

/** An area as it stood from one look to another. */
export interface MapArea {
  readonly mm: number;
  readonly start: number;
  readonly end: number;
  /** Bits of `VM` in kernel/mm/vma.ts. */
  readonly flags: number;
  /** "[heap]", a script's "buf", "anonymous": see area-names.ts. Pages of older versions have none. */
  readonly name?: string;
  readonly fromFrame: number;
  /** First look that did not see it any more. */
  readonly toFrame: number;
}

/** The state of every page over time: what changed between one look and the next. */
export interface PageMap {
  /** When each look was. */
  readonly frameNs: Float64Array;
  /** In order of address space and address. */
  readonly regions: readonly MapRegion[];
  readonly areas: readonly MapArea[];
  /**
   * Changes in order of `frame`: `run` pages from `page` (region × pagesPerHuge + index) on became `state`.
   */
  readonly frame: Uint16Array;
  readonly page: Uint32Array;
  readonly run: Uint16Array;
  readonly state: Uint8Array;
  /** References to a region between two looks; of traces of faults, the faults in it. */
  readonly heatFrame: Uint16Array;
  readonly heatRegion: Uint32Array;
  readonly heat: Float64Array;
  /** False when there was no room for all changes: the map ends at its last look. */
  readonly complete: boolean;
}

/** One step of a fault. */
export interface WalkStep {
  /** "enter do_anonymous_page", "acquire page_table", "event shootdown" … */
  readonly kind: "enter" | "lock" | "unlock" | "event" | "interrupt" | "preempt" | "end";
  /** The kernel's function, the lock's class, the event's name, the outcome. */
  readonly what: string;
  /**
   * Of a shootdown: pages, CPUs interrupted, cause; of compaction and reclaim: as core/events.ts names them.
   */
  readonly numbers: readonly number[];
  /** Since the fault began. */
  readonly atNs: number;
  /** The page's entries now. */
  readonly entry: EntryState;
  /**
   * For each CPU from `firstCpu` on: 0 no translation of the page, 1 a small one, 2 a huge one, 3 both. Up to
   * 16 CPUs, the one of the fault among them.
   */
  readonly tlb: readonly number[];
  readonly firstCpu: number;
}

/** Kind and flags of the PMD entry, flags of the PTE (0 when the PMD is no table): see mm/page-table.ts. */
export interface EntryState {
  readonly pmd: number;
  readonly pmdFlags: number;
  readonly pteFlags: number;
}

export type WalkCourse = readonly WalkStep[];

/** When a daemon had a CPU. */
export interface Track {
  readonly name: string;
  readonly cpu: Uint8Array;
  readonly fromNs: Float64Array;
  readonly toNs: Float64Array;
}

export interface RecordedMm {
  readonly id: number;
  readonly pid: number;
  readonly name: string;
}

export interface RecordedTask {
  readonly name: string;
  /** Index into `mms`, -1 for daemons. */
  readonly mm: number;
}

export interface Recording {
  readonly schema: 1;
  readonly nodes: number;
  readonly cpus: number;
  readonly pagesPerHuge: number;
  readonly mms: readonly RecordedMm[];
  readonly tasks: readonly RecordedTask[];
  readonly samples: Samples;
  readonly events: EventColumns;
  readonly map: PageMap;
  readonly courses: readonly WalkCourse[];
  readonly tracks: readonly Track[];
}

/** How much is kept at most; what does not fit is counted and said. */
export interface RecordLimits {
  readonly eventsMax: number;
  readonly changesMax: number;
  readonly coursesMax: number;
  /** Faults whose steps are followed. */
  readonly walksMax: number;
}

export const RECORD_LIMITS: RecordLimits = {
  eventsMax: 10_000_000,
  changesMax: 20_000_000,
  coursesMax: 4096,
  walksMax: 1_000_000,
};
