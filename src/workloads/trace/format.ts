/**
 * The constants of the trace store (`.pwt`), shared by writer and reader. docs/trace-format.md defines the
 * format byte by byte; this file is its only other statement.
 */
import type { Advice, TraceEvent, TraceHeader } from "../records.ts";
import { type ByteBuffer, type ByteCursor, putString, putVarint, takeString, takeVarint } from "./bytes.ts";

/** Version of the format; the fourth byte of the magic. */
export const FORMAT_VERSION = 1;
/** "PWT", version, then bytes that a text-mode copy would damage. */
export const MAGIC = Uint8Array.of(0x50, 0x57, 0x54, FORMAT_VERSION, 0x0d, 0x0a, 0x1a, 0x0a);

/** Bytes before a block's contents. */
export const BLOCK_HEAD_BYTES = 20;
/** A block is closed when its contents reach this. */
export const BLOCK_BYTES = 256 * 1024;
/** No block's contents are larger: a reader refuses the lengths of a damaged head before it allocates. */
export const BLOCK_BYTES_MAX = 64 * 1024 * 1024;

export const BLOCK = { HEADER: 0x48, DATA: 0x44, END: 0x45 } as const;
export const CODEC = { none: 0, gzip: 1, zstd: 2 } as const;
export type CodecName = keyof typeof CODEC;

/** Items of a data block. */
export const ITEM = { BATCH: 1, EVENT: 2, THREAD: 3, SLOT: 4 } as const;

/** Most records in a batch: what a reader's columns hold. */
export const BATCH_RECORDS_MAX = 16384;

/**
 * Bits of a record's tag. The low three say how the page's distance from the thread's previous page is
 * written.
 */
export const TAG = {
  DELTA: 7,
  /** The next page. */
  PLUS_ONE: 0,
  ONE_BYTE: 1,
  TWO_BYTES: 2,
  THREE_BYTES: 3,
  FOUR_BYTES: 4,
  /** The page before. */
  MINUS_ONE: 5,
  SAME: 6,
  /** Not a record: the batch ends. */
  END: 7,
  KIND_SHIFT: 3,
  /** Counts follow; else they are those of the thread's previous record of this kind. */
  COUNTS: 32,
  /** The gap follows; else it is that of the thread's previous record. */
  GAP: 64,
  /** Flags follow; else they are those of the thread's previous record. */
  FLAGS: 128,
} as const;

/** What a thread's records are coded against. Every block starts from `RESET`. */
export interface RecordState {
  page: number;
  gap: number;
  flags: number;
  /** reads and writes of the previous record of each kind: reads at 2k, writes at 2k + 1. */
  readonly counts: Uint32Array;
  /** The block that this state belongs to. */
  block: number;
}

/** Single accesses: one read, one write, one of each, one instruction. */
const RESET_COUNTS = [1, 0, 0, 1, 1, 1, 1, 0];

export function makeRecordState(): RecordState {
  return { page: 0, gap: 0, flags: 0, counts: Uint32Array.from(RESET_COUNTS), block: -1 };
}

/** Brings a thread's state to that of a block which has not seen it yet. */
export function enterBlock(state: RecordState, block: number): void {
  if (state.block === block) return;
  state.block = block;
  state.page = 0;
  state.gap = 0;
  state.flags = 0;
  state.counts.set(RESET_COUNTS);
}

export const ADVICES: readonly Advice[] = [
  "hugepage",
  "nohugepage",
  "collapse",
  "dontneed",
  "free",
  "cold",
  "pageout",
  "willneed",
  "dontfork",
  "dofork",
];

type FieldType = "number" | "flag" | "text" | "advice";

/**
 * Kinds of events in order of their code, each with its fields in order. Flags share one byte, low bit first.
 */
const EVENT_LAYOUT: readonly (readonly [TraceEvent["kind"], readonly (readonly [string, FieldType])[]])[] = [
  [
    "map",
    [
      ["start", "number"],
      ["length", "number"],
      ["prot", "number"],
      ["shared", "flag"],
      ["fixed", "flag"],
      ["stack", "flag"],
      ["file", "flag"],
      ["noreserve", "flag"],
      ["populate", "flag"],
    ],
  ],
  [
    "unmap",
    [
      ["start", "number"],
      ["length", "number"],
    ],
  ],
  [
    "remap",
    [
      ["start", "number"],
      ["length", "number"],
      ["newStart", "number"],
      ["newLength", "number"],
      ["fixed", "flag"],
    ],
  ],
  [
    "protect",
    [
      ["start", "number"],
      ["length", "number"],
      ["prot", "number"],
    ],
  ],
  [
    "advise",
    [
      ["start", "number"],
      ["length", "number"],
      ["advice", "advice"],
    ],
  ],
  [
    "brk",
    [
      ["start", "number"],
      ["end", "number"],
    ],
  ],
  [
    "fork",
    [
      ["child", "number"],
      ["vfork", "flag"],
    ],
  ],
  ["thread", [["child", "number"]]],
  ["exit", [["process", "flag"]]],
  ["exec", [["name", "text"]]],
  ["cpu", [["cpu", "number"]]],
  ["thp-disable", [["value", "number"]]],
  ["file-rss", [["pages", "number"]]],
  ["lost", [["what", "text"]]],
];

export const EVENT_KINDS: readonly TraceEvent["kind"][] = EVENT_LAYOUT.map(([kind]) => kind);
const CODE_OF_KIND = new Map(EVENT_KINDS.map((kind, code) => [kind, code]));

/** Writes an event without its item byte: code, thread, gap, flags if it has any, fields. */
export function putEvent(b: ByteBuffer, event: TraceEvent): void {
  const code = CODE_OF_KIND.get(event.kind)!;
  const fields = EVENT_LAYOUT[code]![1];
  const values = event as unknown as Record<string, number | boolean | string>;
  putVarint(b, code);
  putVarint(b, event.thread);
  putVarint(b, event.gap);
  let flags = 0;
  let flagBit = 1;
  for (const [name, type] of fields) {
    if (type !== "flag") continue;
    if (values[name]) flags |= flagBit;
    flagBit *= 2;
  }
  if (flagBit > 1) putVarint(b, flags);
  for (const [name, type] of fields) {
    if (type === "number") putVarint(b, values[name] as number);
    else if (type === "text") putString(b, values[name] as string);
    else if (type === "advice") putVarint(b, ADVICES.indexOf(values[name] as Advice));
  }
}

/** Reads what `putEvent` wrote; undefined for a code that this version does not know. */
export function takeEvent(c: ByteCursor): TraceEvent | undefined {
  const layout = EVENT_LAYOUT[takeVarint(c)];
  if (layout === undefined) return undefined;
  const [kind, fields] = layout;
  const event: Record<string, unknown> = { kind, thread: takeVarint(c), gap: takeVarint(c) };
  let flags = fields.some(([, type]) => type === "flag") ? takeVarint(c) : 0;
  for (const [name, type] of fields) {
    if (type === "number") event[name] = takeVarint(c);
    else if (type === "text") event[name] = takeString(c);
    else if (type === "advice") event[name] = ADVICES[takeVarint(c)];
    else {
      event[name] = (flags & 1) === 1;
      flags >>>= 1;
    }
  }
  return event as unknown as TraceEvent;
}

/** What the end block says of the whole. */
export interface TraceTotals {
  /** Rows of references. */
  readonly records: number;
  readonly reads: number;
  readonly writes: number;
  /** Instructions: the `reads` of EXECUTE records. */
  readonly executed: number;
  readonly events: number;
  readonly threads: number;
  readonly slots: number;
  /** Bytes of all blocks' contents before compression. */
  readonly rawBytes: number;
  /** Hash of all contents: the trace's name, whatever it was compressed with. */
  readonly hash: string;
  /** How the recording ended; not there in traces that were imported. */
  readonly recorded?: RecordingEnd;
}

/** The end of a recording, as its recorder saw it. */
export interface RecordingEnd {
  /** Time from the program's start to its end, under the recorder. */
  readonly wallS: number;
  /** CPU time of the program and of the children that it waited for. */
  readonly cpuS?: number;
  /** As a shell would show it; not there when the program went on. */
  readonly exitStatus?: number;
  /** The signal that ended the program. */
  readonly signal?: string;
  /** Why recording ended before the program did: "the disk is full". */
  readonly endedEarly?: string;
}

export const UNKNOWN_HEADER: TraceHeader = {
  source: "",
  program: "",
  timeUnit: "ns",
  coverage: "references",
  layout: "native",
  recordedUnder: "",
};
