import assert from "node:assert/strict";
import { parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import protobuf from "protobufjs";
import { test } from "vitest";
import { recordedColumns } from "../../test/samples/recorded.ts";
import { renderCsv } from "./csv.ts";
import { renderPerfetto } from "./perfetto.ts";
import { eventRows, type FlatColumn, sampleRows } from "./rows.ts";

const columns = recordedColumns();

/** The part of perfetto's schema that a trace of ours uses, written from perfetto's own .proto files. */
const SCHEMA = `
syntax = "proto2";
message Trace { repeated TracePacket packet = 1; }
message TracePacket {
  optional uint64 timestamp = 8;
  optional uint32 trusted_packet_sequence_id = 10;
  optional TrackEvent track_event = 11;
  optional uint32 sequence_flags = 13;
  optional TrackDescriptor track_descriptor = 60;
}
message TrackDescriptor {
  optional uint64 uuid = 1;
  optional string name = 2;
  optional ProcessDescriptor process = 3;
  optional ThreadDescriptor thread = 4;
  optional uint64 parent_uuid = 5;
  optional CounterDescriptor counter = 8;
}
message ProcessDescriptor { optional int32 pid = 1; optional string process_name = 6; }
message ThreadDescriptor { optional int32 pid = 1; optional int32 tid = 2; optional string thread_name = 5;
}
message CounterDescriptor {
  enum Unit { U0 = 0; TIME_NS = 1; COUNT = 2; SIZE_BYTES = 3; }
  optional Unit unit = 3;
}
message TrackEvent {
  enum Type { T0 = 0; SLICE_BEGIN = 1; SLICE_END = 2; INSTANT = 3; COUNTER = 4; }
  repeated DebugAnnotation debug_annotations = 4;
  optional Type type = 9;
  optional uint64 track_uuid = 11;
  repeated string categories = 22;
  optional string name = 23;
  optional int64 counter_value = 30;
  optional double double_counter_value = 44;
}
message DebugAnnotation {
  optional uint64 uint_value = 3;
  optional string string_value = 6;
  optional string name = 10;
}
`;

interface Packet {
  readonly timestamp?: number;
  readonly trackDescriptor?: {
    readonly uuid: number;
    readonly name?: string;
    readonly parentUuid?: number;
    readonly process?: { readonly pid: number; readonly processName: string };
    readonly thread?: { readonly tid: number; readonly threadName: string };
    readonly counter?: { readonly unit: string };
  };
  readonly trackEvent?: {
    readonly type: string;
    readonly trackUuid: number;
    readonly name?: string;
    readonly categories?: readonly string[];
    readonly counterValue?: number;
    readonly doubleCounterValue?: number;
  };
}

function decode(bytes: Uint8Array): Packet[] {
  const type = protobuf.parse(SCHEMA).root.lookupType("Trace");
  const plain = type.toObject(type.decode(bytes), { longs: Number, enums: String, arrays: false });
  return plain.packet as Packet[];
}

const packets = decode(renderPerfetto(columns));
const tracks = packets.flatMap(({ trackDescriptor }) =>
  trackDescriptor === undefined ? [] : [trackDescriptor],
);
const kernels = columns.map(
  ({ name }) => tracks.find((each) => each.process?.processName === `${name}: kernel`)!,
);

test("Perfetto: every counter of the result ends at the result's value", () => {
  columns.forEach(({ result }, i) => {
    const counters = tracks.filter(
      (each) => each.counter !== undefined && each.parentUuid === kernels[i]!.uuid,
    );
    const lastOf = (uuid: number): number | undefined =>
      packets.findLast(({ trackEvent }) => trackEvent?.trackUuid === uuid)?.trackEvent?.counterValue;
    const told = Object.fromEntries(counters.map(({ name, uuid }) => [name!, lastOf(uuid)]));
    for (const [name, value] of Object.entries(result.vmstat)) {
      if (name in told) assert.equal(told[name], value, name);
      else assert.ok(name.startsWith("nr_"), `${name} changed in the run, so it has a track`);
    }
    const huge = counters.find(({ name }) => name === "memory: huge")!;
    const highest = Math.max(
      ...packets
        .filter(({ trackEvent }) => trackEvent?.trackUuid === huge.uuid)
        .map(({ trackEvent }) => trackEvent!.counterValue!),
    );
    assert.equal(highest, Math.max(...result.series.anonHugeKb) * 1024);
  });
});

test("Perfetto: a slice for each fault, begun and ended, none before the one in front of it ends", () => {
  const open = new Map<number, number>();
  const ended = new Map<number, number>();
  let faults = 0;
  for (const { timestamp, trackEvent } of packets) {
    if (trackEvent?.type === "SLICE_BEGIN") {
      if (trackEvent.categories?.includes("fault") === true) faults++;
      assert.ok(!open.has(trackEvent.trackUuid));
      assert.ok(timestamp! >= (ended.get(trackEvent.trackUuid) ?? 0));
      open.set(trackEvent.trackUuid, timestamp!);
    } else if (trackEvent?.type === "SLICE_END") {
      assert.ok(open.delete(trackEvent.trackUuid));
      ended.set(trackEvent.trackUuid, timestamp!);
    }
  }
  assert.equal(open.size, 0);
  assert.equal(
    faults,
    columns.reduce((sum, { result }) => sum + result.faultsAll.count, 0),
  );
});

test("Perfetto: processes and tasks of both columns stand apart, by number and by name", () => {
  const processes = tracks.flatMap(({ process }) => (process === undefined ? [] : [process]));
  assert.equal(new Set(processes.map(({ pid }) => pid)).size, processes.length);
  const names = processes.map(({ processName }) => processName);
  assert.deepEqual(names, [
    ...["thp=never: kernel", "thp=never: main", "thp=never: main"],
    ...["thp=always: kernel", "thp=always: main", "thp=always: main"],
  ]);
  const threads = tracks.flatMap(({ thread }) => (thread === undefined ? [] : [thread.threadName]));
  for (const name of ["main", "child", "khugepaged"]) assert.ok(threads.includes(name), name);
});

async function readBack(table: readonly FlatColumn[]): Promise<Record<string, unknown>[]> {
  const columnData = table.map(({ name, type, data }) => ({ name, type, data: [...data] }));
  return parquetReadObjects({ file: parquetWriteBuffer({ columnData }) });
}

test("Parquet: events are the recording's, by column, with their addresses and latencies", async () => {
  const rows = await readBack(eventRows(columns));
  assert.equal(
    rows.length,
    columns.reduce((sum, { recording }) => sum + recording!.events.count, 0),
  );
  columns.forEach(({ name, result }) => {
    const faults = rows.filter((row) => row.column === name && row.event === "fault");
    const total = faults.reduce((sum, { latency_ns }) => sum + (latency_ns as number), 0);
    assert.equal(total, result.faultsAll.totalNs);
    assert.ok(faults.every(({ address }) => (address as number) % 4096 === 0));
  });
});

test("Parquet: samples hold the series, and null where a run has no such counter", async () => {
  const rows = await readBack(sampleRows(columns));
  const always = rows.filter((row) => row.column === "thp=always");
  assert.deepEqual(
    always.map(({ huge_kb }) => huge_kb),
    columns[1]!.result.series.anonHugeKb,
  );
  assert.equal(always.at(-1)!.thp_fault_alloc, columns[1]!.result.vmstat.thp_fault_alloc);
  assert.ok(rows.filter((row) => row.column === "thp=never").every((row) => row.thp_fault_alloc === null));
});

test("CSV: a line for each figure, plain numbers, quoted where a comma would cut", () => {
  const [head, ...lines] = renderCsv(columns).trimEnd().split("\r\n");
  assert.equal(head, "figure,label,unit,thp=never,thp=always");
  const figure = (key: string) => lines.find((line) => line.startsWith(key + ","));
  const [never, always] = columns.map(({ result }) => result);
  assert.equal(
    figure("peak_rss"),
    `peak_rss,"largest process, peak",bytes,${never!.peakRssKb * 1024},${always!.peakRssKb * 1024}`,
  );
  assert.equal(
    figure("thp_fault_alloc"),
    `thp_fault_alloc,thp_fault_alloc,count,0,${always!.vmstat.thp_fault_alloc}`,
  );
});
