/**
 * The page with a made-up run of ten million events and 4,096 regions of 512 pages, and what is done with it:
 * one interaction in each frame, as fast as frames come. `window.measures` say how long they took.
 */
import { effect } from "@preact/signals";
import { h, render } from "preact";
import { EVENT } from "../../src/core/events.ts";
import type { EventColumns, PageMap, Recording } from "../../src/metrics/recording.ts";
import type { Result } from "../../src/metrics/result.ts";
import { App } from "../../src/web/app.tsx";
import { prepareViews } from "../../src/web/idle.ts";
import { listenToKeys } from "../../src/web/keys.ts";
import { moveCursor, region, show, view } from "../../src/web/state.ts";
import "../../src/web/style.css";
import { LIGHT, variablesOf } from "../../src/web/theme.ts";

const EVENTS = 10_000_000;
const REGIONS = 4096;
const PAGES = 512;
const LOOKS = 200;
const RUN_NS = 60e9;

/** The same numbers each time: xorshift with 32 bits. */
function makeRandom(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

const CODES = [
  EVENT.hugeFault,
  EVENT.collapse,
  EVENT.splitPmd,
  EVENT.shootdown,
  EVENT.cowCopy,
  EVENT.migrate,
];

function makeEvents(): EventColumns {
  const random = makeRandom(7);
  const n = EVENTS;
  const events = {
    count: n,
    tNs: new Float64Array(n),
    code: new Uint8Array(n),
    cpu: new Uint8Array(n),
    task: new Uint16Array(n),
    a: new Float64Array(n),
    b: new Float64Array(n),
    c: new Int32Array(n),
    d: new Float64Array(n),
    before: new Int32Array(n).fill(-1),
    after: new Int32Array(n).fill(-1),
    course: new Int32Array(n).fill(-1),
    dropped: 0,
  };
  for (let i = 0; i < n; i++) {
    events.tNs[i] = (i / n) * RUN_NS;
    events.code[i] = random() < 0.9 ? EVENT.fault : CODES[Math.floor(random() * CODES.length)]!;
    events.cpu[i] = i & 7;
    events.b[i] = Math.floor(random() * REGIONS * PAGES);
    events.d[i] = 500 + Math.floor(random() * 4000);
  }
  return events;
}

/** Every page is mapped sooner or later, and a tenth of the regions changes at each look. */
function makeMap(): PageMap {
  const random = makeRandom(11);
  const columns = { frame: [] as number[], page: [] as number[], run: [] as number[], state: [] as number[] };
  for (let frame = 0; frame < LOOKS; frame++) {
    for (let change = 0; change < REGIONS / 10; change++) {
      const base = Math.floor(random() * REGIONS) * PAGES;
      const huge = random() < 0.4;
      for (let piece = 0; piece < (huge ? 1 : 16); piece++) {
        columns.frame.push(frame);
        columns.page.push(base + (huge ? 0 : piece * 32));
        columns.run.push(huge ? PAGES : 1 + Math.floor(random() * 31));
        columns.state.push(huge ? 10 : random() < 0.5 ? 9 : 25);
      }
    }
  }
  return {
    frameNs: Float64Array.from({ length: LOOKS }, (_, i) => (i / (LOOKS - 1)) * RUN_NS),
    regions: Array.from({ length: REGIONS }, (_, i) => ({ mm: i < 3000 ? 0 : 1, vpn: i * PAGES })),
    areas: [{ mm: 0, start: 0, end: REGIONS * PAGES, flags: 3, fromFrame: 0, toFrame: LOOKS }],
    frame: Uint16Array.from(columns.frame),
    page: Uint32Array.from(columns.page),
    run: Uint16Array.from(columns.run),
    state: Uint8Array.from(columns.state),
    heatFrame: Uint16Array.from({ length: LOOKS * 400 }, (_, i) => Math.floor(i / 400)),
    heatRegion: Uint32Array.from({ length: LOOKS * 400 }, () => Math.floor(random() * REGIONS)),
    heat: Float64Array.from({ length: LOOKS * 400 }, () => random() * 1e6),
    complete: true,
  };
}

function makeRecording(): Recording {
  const tNs = Float64Array.from({ length: 400 }, (_, i) => (i / 399) * RUN_NS);
  const rising = (most: number) => tNs.map((ns) => (ns / RUN_NS) * most);
  const kb = rising(8e6);
  const none = new Float64Array(400);
  const memoryKb = {
    ...{ huge: kb, base: rising(2e6), reserved: none, file: rising(1e5) },
    ...{ "page-tables": rising(2e4), free: rising(1e6), swap: none },
  };
  const counters = { pgfault: rising(9e6), thp_fault_alloc: rising(4e3), nr_tlb_remote_flush: rising(1e5) };
  return {
    ...{ schema: 1, nodes: 1, cpus: 8, pagesPerHuge: PAGES, courses: [], tracks: [] },
    mms: [0, 1].map((id) => ({ id, pid: 100 + id, name: "large" })),
    tasks: [{ name: "large 100", mm: 0 }],
    samples: { tNs, counters, memoryKb, nodeKb: [kb] },
    events: makeEvents(),
    map: makeMap(),
  };
}

/** As much of a result as the views read. */
function makeResult(): Result {
  const tNs = Array.from({ length: 400 }, (_, i) => (i / 399) * RUN_NS);
  const y = tNs.map((ns) => (ns / RUN_NS) * 8e6);
  const series = { tNs, rssKb: y, anonKb: y, anonHugeKb: y, touchedKb: y, bloatKb: y };
  const times = {
    count: 1,
    totalNs: 1,
    p50Ns: 500,
    p99Ns: 2000,
    p999Ns: 4000,
    maxNs: 4500,
    buckets: [[500, 1]],
  };
  return {
    ...{
      generation: "linux-6.18",
      settings: {},
      vmstat: {},
      processes: [],
      locks: [],
      zones: [],
      faults: {},
    },
    ...{ workload: "large", machine: "", hardware: "", seed: 1, outcome: "finished", runNs: RUN_NS },
    ...{ peakRssSumKb: 8e6, touchedPeakKb: 8e6, tlb: {}, shootdowns: {} },
    series: { ...series, hugeFaults: y, hugeCollapses: y },
    faultsAll: times,
  } as unknown as Result;
}

interface Frames {
  readonly name: string;
  /** From the interaction to the end of its frame's script, in ms. */
  readonly workMs: readonly number[];
  /** From frame to frame. */
  readonly frameMs: readonly number[];
}

const nextFrame = (): Promise<number> => new Promise((done) => requestAnimationFrame(done));

/**
 * Does something in each of some frames. Work is the script of the interaction and of its frame, without the
 * wait between them.
 */
async function perFrame(name: string, count: number, act: (i: number) => void): Promise<Frames> {
  const workMs: number[] = [];
  const frameMs: number[] = [];
  let last = await nextFrame();
  for (let i = 0; i < count; i++) {
    let frameBegan = 0;
    let frameEnded = 0;
    // Callbacks run in the order in which they were asked for: before and behind what the page asks for.
    requestAnimationFrame(() => {
      frameBegan = performance.now();
    });
    const began = performance.now();
    act(i);
    await new Promise((done) => setTimeout(done, 0));
    const asked = performance.now();
    requestAnimationFrame(() => {
      frameEnded = performance.now();
    });
    const now = await nextFrame();
    workMs.push(asked - began + Math.max(0, frameEnded - frameBegan));
    frameMs.push(now - last);
    last = now;
  }
  return { name, workMs, frameMs };
}

const find = (selector: string): HTMLElement => document.querySelector<HTMLElement>(selector)!;

function wheel(target: Element, deltaY: number, x: number, y: number): void {
  const box = target.getBoundingClientRect();
  const at = { clientX: box.left + box.width * x, clientY: box.top + box.height * y };
  target.dispatchEvent(new WheelEvent("wheel", { deltaY, ...at, bubbles: true, cancelable: true }));
}

function point(target: Element, type: string, x: number, y: number): void {
  const box = target.getBoundingClientRect();
  const at = { clientX: box.left + x, clientY: box.top + y, pointerId: 1 };
  target.dispatchEvent(new PointerEvent(type, { ...at, bubbles: true, isPrimary: true }));
}

/** Keys 2 to 4, each view for the first time and again. */
async function views(): Promise<Frames[]> {
  const press = (key: string) => dispatchEvent(new KeyboardEvent("keydown", { key }));
  const frames = await perFrame("views: one after the other", 12, (i) => press("342"[i % 3]!));
  view.value = "timeline";
  return [frames];
}

async function timeline(): Promise<Frames[]> {
  view.value = "timeline";
  await nextFrame();
  await nextFrame();
  const chart = find("[data-chart=memory-1] canvas");
  return [
    await perFrame("timeline: pointer moves", 60, (i) => point(chart, "pointermove", 100 + i * 9, 60)),
    await perFrame("timeline: wheel zooms in", 40, () => wheel(chart, -120, 0.6, 0.5)),
    await perFrame("timeline: pans", 30, (i) => {
      const key = i % 2 === 0 ? "d" : "a";
      dispatchEvent(new KeyboardEvent("keydown", { key }));
    }),
    await perFrame("timeline: wheel zooms out", 40, () => wheel(chart, 120, 0.6, 0.5)),
  ];
}

async function addressMap(): Promise<Frames[]> {
  view.value = "map";
  await nextFrame();
  await nextFrame();
  const canvas = find("[data-chart=map] canvas");
  const frames = [
    await perFrame("map: scrubs through time", 100, (i) => moveCursor((i / 100) * RUN_NS)),
    await perFrame("map: wheel zooms in to pages", 40, () => wheel(canvas, -100, 0.4, 0.4)),
  ];
  frames.push(await perFrame("map: scrubs, zoomed in", 100, (i) => moveCursor((1 - i / 100) * RUN_NS)));
  point(canvas, "pointerdown", 400, 300);
  frames.push(
    await perFrame("map: drags", 50, (i) => point(canvas, "pointermove", 400 - i * 4, 300 - i * 2)),
  );
  point(canvas, "pointerup", 200, 200);
  frames.push(await perFrame("map: pointer moves", 60, (i) => point(canvas, "pointermove", 50 + i * 8, 200)));
  frames.push(await perFrame("map: wheel zooms out", 40, () => wheel(canvas, 100, 0.4, 0.4)));
  region.value = -1;
  return frames;
}

async function walk(): Promise<Frames[]> {
  view.value = "walk";
  await nextFrame();
  await nextFrame();
  const list = find(".events");
  const most = list.scrollHeight - list.clientHeight;
  return [
    await perFrame("walk: scrolls the list of events", 80, (i) => {
      list.scrollTop = (most * i) / 80;
    }),
    await perFrame("walk: next event by key", 60, () =>
      list.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true, cancelable: true })),
    ),
  ];
}

const MEASURES = { views, timeline, map: addressMap, walk } as const;

declare global {
  interface Window {
    measures?: typeof MEASURES;
  }
}

effect(() => {
  for (const [name, colour] of Object.entries(variablesOf(LIGHT))) {
    document.documentElement.style.setProperty(name, colour);
  }
});
const column = { name: "large", result: makeResult(), recording: makeRecording() };
show({ columns: [column], version: "bench", command: "", measurements: [] });
listenToKeys();
view.value = "timeline";
render(h(App, null), document.getElementById("app")!);
prepareViews();
window.measures = MEASURES;
