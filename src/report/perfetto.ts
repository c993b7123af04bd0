/**
 * A comparison as a Perfetto trace: for ui.perfetto.dev and trace_processor.
 *
 *     column ─▶ its processes ─▶ tasks: faults as slices, the kernel's events as instants
 *          └──▶ one more "process": daemons as tracks with slices, memory and counters as counter tracks
 *
 * Field numbers are those of perfetto's protos/perfetto/trace: trace_packet.proto, track_event/*.proto.
 */
import { EVENT, FAULT_KINDS } from "../core/events.ts";
import type { RecordedTask, Recording } from "../metrics/recording.ts";
import { eventName, numberNames } from "./events.ts";
import { makeProto, type ProtoWriter, putDouble, putMessage, putNumber, putText } from "./protobuf.ts";
import type { Column } from "./table.ts";

const PACKET = { TIMESTAMP: 8, SEQUENCE: 10, TRACK_EVENT: 11, FLAGS: 13, DESCRIPTOR: 60 } as const;
const TRACK = { UUID: 1, NAME: 2, PROCESS: 3, THREAD: 4, PARENT: 5, COUNTER: 8 } as const;
const TRACK_EVENT = {
  ANNOTATION: 4,
  TYPE: 9,
  TRACK_UUID: 11,
  CATEGORY: 22,
  NAME: 23,
  COUNTER: 30,
  DOUBLE: 44,
} as const;
const TYPE = { BEGIN: 1, END: 2, INSTANT: 3, COUNTER: 4 } as const;
const ANNOTATION = { UINT: 3, TEXT: 6, NAME: 10 } as const;
const COUNTER_UNIT = { COUNT: 2, BYTES: 3 } as const;

/** One writer of packets: the sequence that all of ours belong to. */
const SEQUENCE = 1;
const STATE_CLEARED = 1;
/** Columns keep their processes apart by this much. */
const PIDS_PER_COLUMN = 10_000_000;

interface Writer {
  readonly out: ProtoWriter;
  readonly packet: ProtoWriter;
  readonly event: ProtoWriter;
  readonly inner: ProtoWriter;
  nextUuid: number;
  first: boolean;
}

function putPacket(w: Writer, tNs: number | undefined, field: number): void {
  const { packet } = w;
  packet.length = 0;
  if (tNs !== undefined) putNumber(packet, PACKET.TIMESTAMP, Math.round(tNs));
  putNumber(packet, PACKET.SEQUENCE, SEQUENCE);
  if (w.first) putNumber(packet, PACKET.FLAGS, STATE_CLEARED);
  w.first = false;
  putMessage(packet, field, w.event);
  putMessage(w.out, 1, packet);
  w.event.length = 0;
}

/** Describes a track; `fill` adds what kind it is. Returns its uuid. */
function track(w: Writer, name: string, parent: number | undefined, fill: (w: Writer) => void): number {
  const uuid = w.nextUuid++;
  const { event } = w;
  event.length = 0;
  putNumber(event, TRACK.UUID, uuid);
  if (name !== "") putText(event, TRACK.NAME, name);
  if (parent !== undefined) putNumber(event, TRACK.PARENT, parent);
  fill(w);
  putPacket(w, undefined, PACKET.DESCRIPTOR);
  return uuid;
}

function processTrack(w: Writer, name: string, pid: number): number {
  return track(w, "", undefined, ({ event, inner }) => {
    inner.length = 0;
    putNumber(inner, 1, pid);
    putText(inner, 6, name);
    putMessage(event, TRACK.PROCESS, inner);
  });
}

function threadTrack(w: Writer, name: string, ids: { pid: number; tid: number }, parent: number): number {
  return track(w, "", parent, ({ event, inner }) => {
    inner.length = 0;
    putNumber(inner, 1, ids.pid);
    putNumber(inner, 2, ids.tid);
    putText(inner, 5, name);
    putMessage(event, TRACK.THREAD, inner);
  });
}

function counterTrack(w: Writer, name: string, parent: number, unit: number): number {
  return track(w, name, parent, ({ event, inner }) => {
    inner.length = 0;
    putNumber(inner, 3, unit);
    putMessage(event, TRACK.COUNTER, inner);
  });
}

function beginEvent(w: Writer, type: number, uuid: number): void {
  w.event.length = 0;
  putNumber(w.event, TRACK_EVENT.TYPE, type);
  putNumber(w.event, TRACK_EVENT.TRACK_UUID, uuid);
}

function named(w: Writer, category: string, name: string): void {
  putText(w.event, TRACK_EVENT.CATEGORY, category);
  putText(w.event, TRACK_EVENT.NAME, name);
}

function annotate(w: Writer, name: string, value: number | string): void {
  const { inner } = w;
  inner.length = 0;
  if (typeof value === "string") putText(inner, ANNOTATION.TEXT, value);
  else if (Number.isInteger(value) && value >= 0) putNumber(inner, ANNOTATION.UINT, value);
  else putText(inner, ANNOTATION.TEXT, String(value));
  putText(inner, ANNOTATION.NAME, name);
  putMessage(w.event, TRACK_EVENT.ANNOTATION, inner);
}

const hex = (vpn: number): string => "0x" + (vpn * 4096).toString(16);

function putSlice(w: Writer, uuid: number, fromNs: number, toNs: number, fill: () => void): void {
  beginEvent(w, TYPE.BEGIN, uuid);
  fill();
  putPacket(w, fromNs, PACKET.TRACK_EVENT);
  beginEvent(w, TYPE.END, uuid);
  putPacket(w, toNs, PACKET.TRACK_EVENT);
}

/** Faults as slices on their tasks' tracks, everything else as instants. */
function putEvents(w: Writer, recording: Recording, tracks: readonly number[]): void {
  const { events } = recording;
  for (let i = 0; i < events.count; i++) {
    const code = events.code[i]!;
    const uuid = tracks[events.task[i]!]!;
    const tNs = events.tNs[i]!;
    if (code === EVENT.fault) {
      putSlice(w, uuid, tNs, tNs + events.d[i]!, () => {
        named(w, "fault", FAULT_KINDS[events.c[i]!] ?? "fault");
        if (events.b[i]! >= 0) annotate(w, "address", hex(events.b[i]!));
        annotate(w, "cpu", events.cpu[i]!);
        if (events.after[i]! >= 0) annotate(w, "frame", events.after[i]!);
      });
      continue;
    }
    beginEvent(w, TYPE.INSTANT, uuid);
    named(w, "kernel", eventName(code));
    const numbers = [events.a[i]!, events.b[i]!, events.c[i]!, events.d[i]!];
    numberNames(code).forEach((name, n) => {
      annotate(w, name, name === "vpn" ? hex(numbers[n]!) : numbers[n]!);
    });
    putPacket(w, tNs, PACKET.TRACK_EVENT);
  }
}

function putCounter(w: Writer, uuid: number, tNs: Float64Array, value: (i: number) => number): void {
  for (let i = 0; i < tNs.length; i++) {
    const now = value(i);
    if (i > 0 && i < tNs.length - 1 && now === value(i - 1)) continue;
    beginEvent(w, TYPE.COUNTER, uuid);
    if (Number.isInteger(now) && now >= 0) putNumber(w.event, TRACK_EVENT.COUNTER, now);
    else putDouble(w.event, TRACK_EVENT.DOUBLE, now);
    putPacket(w, tNs[i]!, PACKET.TRACK_EVENT);
  }
}

function putSamples(w: Writer, { samples }: Recording, parent: number): void {
  for (const [kind, kb] of Object.entries(samples.memoryKb)) {
    const uuid = counterTrack(w, `memory: ${kind}`, parent, COUNTER_UNIT.BYTES);
    putCounter(w, uuid, samples.tNs, (i) => kb[i]! * 1024);
  }
  samples.nodeKb.forEach((kb, node) => {
    const uuid = counterTrack(w, `memory on node ${node}`, parent, COUNTER_UNIT.BYTES);
    putCounter(w, uuid, samples.tNs, (i) => kb[i]! * 1024);
  });
  for (const [name, values] of Object.entries(samples.counters)) {
    const uuid = counterTrack(w, name, parent, COUNTER_UNIT.COUNT);
    putCounter(w, uuid, samples.tNs, (i) => values[i]!);
  }
  const hints = samples.counters.numa_hint_faults;
  const local = samples.counters.numa_hint_faults_local;
  if (hints === undefined) return;
  const uuid = counterTrack(w, "local share of NUMA hint faults", parent, COUNTER_UNIT.COUNT);
  putCounter(w, uuid, samples.tNs, (i) => (hints[i] === 0 ? 0 : (local?.[i] ?? 0) / hints[i]!));
}

function putColumn(w: Writer, name: string, recording: Recording, firstPid: number): void {
  const kernelPid = firstPid + 1;
  const kernel = processTrack(w, `${name}: kernel`, kernelPid);
  const processes = new Map<number, number>();
  const processOf = ({ mm }: RecordedTask): { uuid: number; pid: number } => {
    const known = recording.mms[mm];
    if (known === undefined) return { uuid: kernel, pid: kernelPid };
    const pid = firstPid + 2 + known.pid;
    let uuid = processes.get(pid);
    if (uuid === undefined) {
      const last = recording.mms.findLast((each) => each.pid === known.pid)!;
      uuid = processTrack(w, `${name}: ${last.name}`, pid);
      processes.set(pid, uuid);
    }
    return { uuid, pid };
  };
  const tracks = recording.tasks.map((task, i) => {
    const { uuid, pid } = processOf(task);
    return threadTrack(w, task.name, { pid, tid: firstPid + 5_000_000 + i }, uuid);
  });
  putEvents(w, recording, tracks);
  recording.tracks.forEach((daemon) => {
    const uuid = track(w, `${daemon.name} running`, kernel, () => {});
    for (let i = 0; i < daemon.fromNs.length; i++) {
      putSlice(w, uuid, daemon.fromNs[i]!, daemon.toNs[i]!, () => {
        named(w, "daemon", daemon.name);
        annotate(w, "cpu", daemon.cpu[i]!);
      });
    }
  });
  putSamples(w, recording, kernel);
}

/** The trace; columns that were not recorded are left out. */
export function renderPerfetto(columns: readonly Column[]): Uint8Array {
  const w: Writer = {
    out: makeProto(),
    packet: makeProto(),
    event: makeProto(),
    inner: makeProto(),
    nextUuid: 1,
    first: true,
  };
  columns.forEach(({ name, recording }, i) => {
    if (recording !== undefined) putColumn(w, name, recording, i * PIDS_PER_COLUMN);
  });
  return w.out.bytes.slice(0, w.out.length);
}
