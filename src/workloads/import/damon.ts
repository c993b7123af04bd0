/**
 * Importer for DAMON's raw records, as heat: `damo report raw`, or `perf script` of damon:damon_aggregated.
 *
 *     monitoring_start:                0 ns
 *     monitoring_end:            104.599 ms
 *     target_id: 18446623438842320000
 *     nr_regions: 10
 *     563ebaa00000-563ebadf3000 (   3.949 MiB)           0    -1   region, times found used, age
 *
 *     kdamond.0 4452 [000] 82877.315633: damon:damon_aggregated: target_id=184… nr_regions=17
 *     140731667070976-140731668037632: 0 3
 *
 * DAMON samples regions. Which pages of a region were used, in what order, by whom, and whether they were
 * read or written is not known: each page of a region that was used counts as used once for each time that
 * the region was found so, as a write when the page appears and as reads from then on. Regions found unused
 * give no record.
 */

import { REF } from "../records.ts";
import type { TraceSink } from "../trace/sink.ts";
import { type Importer, makeTextImporter } from "./importer.ts";
import {
  addProcess,
  addThread,
  makeRecorder,
  type RecordedThread,
  type Recorder,
  recordReference,
} from "./recorder.ts";

const PAGE_BYTES = 4096;
const ADDRESS_MAX = 2 ** 48;
/** 64 GiB: what is longer is a damaged line, or a gap that nobody used. */
const REGION_PAGES_MAX = 2 ** 24;

const UNITS_NS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 };
const EDGE = /^monitoring_(start|end):\s+(\d[\d.,]*) ?(ns|us|ms|s|m|h)\b/;
const TARGET = /^target_id:\s+(\d+)/;
const REGION = /^([0-9a-f]+)-([0-9a-f]+) +\(.*?\)\s+(\d+)\s+(-?\d+)/;
const TRACED = /\s(\d+)\.(\d+): +damon:damon_aggregated: target_id=(\d+) nr_regions=\d+ (\d+)-(\d+): (\d+)/;
const HEAD = /^(base_time_absolute|nr_regions|kdamond_idx|context_idx|scheme_idx|#)/;

interface Heat {
  readonly r: Recorder;
  readonly targets: Map<string, RecordedThread>;
  target: RecordedThread | undefined;
  time: number;
  baseSeconds: number;
}

/** Starts an import of DAMON's records into a sink. */
export function makeDamonImporter(sink: TraceSink): Importer {
  const h: Heat = {
    r: makeRecorder(sink, { source: "damon", timeUnit: "ns", coverage: "folded" }),
    targets: new Map(),
    target: undefined,
    time: 0,
    baseSeconds: -1,
  };
  return makeTextImporter({
    format: "damon",
    r: h.r,
    expected: "START-END (SIZE) ACCESSES AGE, or damon_aggregated",
    ignoredAs: "heads, remarks and other events",
    note: "heat of regions: all pages of a region count alike; order, threads, reads and writes are unknown",
    take: (line) => takeLine(h, line.trim()),
  });
}

/** True: understood. False: cannot be read. Undefined: says nothing of regions. */
function takeLine(h: Heat, line: string): boolean | undefined {
  if (line === "" || HEAD.test(line)) return undefined;
  const traced = TRACED.exec(line);
  if (traced !== null) {
    const [, seconds, fraction, target, from, to, count] = traced as unknown as string[];
    if (h.baseSeconds < 0) h.baseSeconds = Number(seconds);
    h.time = (Number(seconds) - h.baseSeconds) * 1e9 + Number(fraction!.padEnd(9, "0").slice(0, 9));
    if (!(h.time >= 0 && h.time < 2 ** 53)) return false;
    setTarget(h, target!);
    return takeRegion(h, Number(from), Number(to), Number(count));
  }
  const region = REGION.exec(line);
  if (region !== null) {
    const [, from, to, count] = region as unknown as string[];
    return takeRegion(h, Number.parseInt(from!, 16), Number.parseInt(to!, 16), Number(count));
  }
  const edge = EDGE.exec(line);
  if (edge !== null) {
    h.time = Math.round(Number(edge[2]!.replaceAll(",", "")) * UNITS_NS[edge[3]!]!);
    return h.time < 2 ** 53;
  }
  const target = TARGET.exec(line)?.[1];
  if (target !== undefined) setTarget(h, target);
  return (
    target !== undefined ||
    (/: +\w+:\w+: /.test(line) && !line.includes("damon_aggregated") ? undefined : false)
  );
}

/** Targets bear the kernel's addresses: they are numbered as they come. */
function setTarget(h: Heat, id: string): void {
  let thread = h.targets.get(id);
  if (thread === undefined) {
    const pid = h.targets.size + 1;
    thread = addThread(h.r, addProcess(h.r, pid, ""), pid, h.time);
    h.targets.set(id, thread);
  }
  h.target = thread;
}

function takeRegion(h: Heat, from: number, to: number, count: number): boolean {
  const first = Math.floor(from / PAGE_BYTES);
  const end = Math.ceil(to / PAGE_BYTES);
  const sound = from <= to && to <= ADDRESS_MAX && end - first <= REGION_PAGES_MAX && count <= 0xffffffff;
  if (!sound || h.target === undefined) return false;
  if (count === 0) return true;
  for (let vpn = first; vpn < end; vpn++) {
    const isNew = !isTouched(h, vpn);
    if (isNew) recordReference(h.r, h.target, vpn, REF.WRITE, count - 1, 1, h.time);
    else recordReference(h.r, h.target, vpn, REF.READ, count, 0, h.time);
  }
  return true;
}

/** The recorder's own bit: the page was recorded before. */
function isTouched(h: Heat, vpn: number): boolean {
  const region = Math.floor(vpn / 512);
  const slot = h.target!.process.slots.get(region);
  if (slot === undefined) return false;
  const page = vpn - region * 512;
  return (h.r.touched[slot * 16 + (page >>> 5)]! & (1 << (page & 31))) !== 0;
}
