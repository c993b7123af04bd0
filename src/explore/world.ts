/**
 * A small machine for scenarios: two nodes of a few frames, huge pages of 4 base pages, one process with one
 * area that begins as a line of text says, and whatever acts on it.
 *
 *     H huge page, written     s base page, written     r page of a reservation, written     z zero page
 *     . nothing
 *
 * CPUs are spread over the nodes in order; what the picture shows was written by CPU 0, on node 0.
 */
import type { Advice } from "../core/advice.ts";
import { SMALL } from "../core/geometry.ts";
import type { Path } from "../core/ops.ts";
import { asCpu, asNode, asVpn, PAGE_BYTES, type Pfn, type PmdRow, type Vpn } from "../core/units.ts";
import type { Generation } from "../generations/generation.ts";
import type { Behaviours } from "../kernel/behaviours.ts";
import { allocFast, allocPages } from "../kernel/buddy/alloc.ts";
import { putPage } from "../kernel/buddy/free.ts";
import { GFP, GFP_USER } from "../kernel/buddy/gfp.ts";
import { pushPcp, takeFromZone } from "../kernel/buddy/pcp.ts";
import { MIGRATE } from "../kernel/buddy/state.ts";
import { refreshWatermarks } from "../kernel/buddy/watermarks.ts";
import type { Costs } from "../kernel/costs.ts";
import { createKernel } from "../kernel/create.ts";
import { handleFault } from "../kernel/fault/handle.ts";
import { evenDistances, nodeOfCpu } from "../kernel/machine.ts";
import { madvise } from "../kernel/mm/madvise.ts";
import { type Mm, makeMm } from "../kernel/mm/mm.ts";
import { mmap } from "../kernel/mm/mmap.ts";
import { frameAt } from "../kernel/mm/pin.ts";
import { headOf } from "../kernel/mm/rmap.ts";
import { ensureRow } from "../kernel/mm/tables.ts";
import { findVma, VM, type Vma } from "../kernel/mm/vma.ts";
import { markRange38 } from "../kernel/numa/balancenuma/mark.ts";
import { exchangeLast } from "../kernel/numa/early/last-nid.ts";
import { early } from "../kernel/numa/early/state.ts";
import { markRange } from "../kernel/numa/mark.ts";
import { NO_STACKS } from "../kernel/numa/stack.ts";
import { makeNumaTask } from "../kernel/numa/state.ts";
import { lruDrainAll } from "../kernel/reclaim/lru.ts";
import type { Kernel } from "../kernel/state.ts";
import type { Tunables } from "../kernel/tunables.ts";
import { assert } from "../lib/assert.ts";
import { checkRead, load, type Memory, makeMemory, store, translate, witnessOf } from "./memory.ts";

export interface WorldOptions {
  /** The area at the start, a letter a page. */
  readonly picture: string;
  readonly nodes?: number;
  readonly cpus?: number;
  readonly framesPerNode?: number;
  readonly swapPages?: number;
  readonly tunables?: Partial<Tunables>;
  /** Threads of the process: what its mm counts as users. */
  readonly threads?: number;
  /** Free base pages at hand on the list of each CPU, the first CPU's first; the other lists are empty. */
  readonly atHandPages?: readonly number[];
}

export interface World {
  readonly k: Kernel;
  readonly mm: Mm;
  readonly memory: Memory;
  /** First page of the area. */
  readonly start: number;
  readonly pages: number;
}

/** Where the area begins: a multiple of everything. */
const START = 1024 * 1024;
const LEVEL = { entries: 4, ways: 4 };

/** Boots the machine of a generation, with some behaviours changed. */
export function makeWorld(
  generation: Generation,
  changes: Partial<Behaviours>,
  options: WorldOptions,
): World {
  const letters = [...options.picture.replaceAll(" ", "")];
  const k = boot(generation, changes, options);
  const mm = makeMm(k);
  mm.users = options.threads ?? 1;
  mm.numa.stacksMarked = NO_STACKS;
  mm.cpus.fill(1);
  const memory = makeMemory(k, START, letters.length);
  k.witness = witnessOf(memory, () => undefined);
  const w: World = { k, mm, memory, start: START, pages: letters.length };
  const request = {
    at: START,
    pages: letters.length,
    flags: VM.READ | VM.WRITE | VM.NORESERVE,
    replace: false,
  };
  const at = alone(w, mmap(k, mm, { ...request, stack: false }));
  assert(at === START, "an empty address space has room where it is asked for");
  fill(w, letters);
  for (let cpu = 0; cpu < k.machine.cpus; cpu++) k.numa.running[cpu] = makeNumaTask(k, mm);
  for (const task of k.numa.running) if (task !== undefined) task.running = true;
  return w;
}

function boot(generation: Generation, changes: Partial<Behaviours>, options: WorldOptions): Kernel {
  const nodes = options.nodes ?? 2;
  const k = createKernel({
    machine: {
      nodes,
      cpus: options.cpus ?? 2 * nodes,
      memBytes: nodes * (options.framesPerNode ?? 32) * PAGE_BYTES,
      geometry: SMALL,
      distances: evenDistances(nodes),
      swapBytes: (options.swapPages ?? 0) * PAGE_BYTES,
      fragmentedRatio: 0,
      seed: 1,
    },
    behaviours: { ...generation.behaviours, ...changes },
    knobSpecs: generation.knobs,
    costs: new Proxy({}, { get: () => 0 }) as Costs,
    tlb: { l1Small: LEVEL, l1Huge: "shared", l2: { ...LEVEL, hugeWays: 4 }, walkCaches: "none" },
    pmdTablesMax: 4,
  });
  Object.assign(k.tunables, { enabled: "always", maxPtesNone: 3, ...options.tunables });
  refreshWatermarks(k.buddy, k.tunables);
  // Otherwise made at its first use, which would be in the middle of a step.
  if (k.behaviours.numaDesign.policy !== "mainline") early(k);
  (options.atHandPages ?? []).forEach((pages, cpu) => {
    fillList(k, cpu, pages);
  });
  return k;
}

/** Puts free base pages of its node on a CPU's list, which a machine this small would keep empty. */
function fillList({ buddy, machine }: Kernel, cpu: number, pages: number): void {
  const zone = buddy.nodes[nodeOfCpu(machine, cpu)]!.zones.at(-1)!;
  zone.pcps[cpu]!.highPages = pages + 1;
  const taken = Array.from({ length: pages }, () =>
    takeFromZone(buddy, zone, cpu, 0, MIGRATE.MOVABLE, false),
  );
  for (const pfn of taken) pushPcp(buddy, zone, cpu, pfn, 0);
}

function fill(w: World, letters: readonly string[]): void {
  const { tunables } = w.k;
  const { enabled } = tunables;
  letters.forEach((letter, page) => {
    tunables.enabled = letter === "H" || letter === "r" ? "always" : "never";
    if (letter === "." || letter === "-") return;
    alone(w, letter === "z" ? read(w, page) : write(w, page, 100 + page));
  });
  tunables.enabled = enabled;
  lruDrainAll(w.k);
}

/** Runs a path to its end, alone on the machine: for set-up. */
export function alone<T>(_w: World | undefined, path: Path<T>): T {
  for (;;) {
    const step = path.next();
    if (step.done === true) return step.value;
  }
}

/** Takes what runs next, at set-up, to another CPU. */
export function onCpu(w: World, cpu: number): void {
  w.k.cpu = asCpu(cpu);
}

/** The page's number as the kernel has it. */
export function vpnOf(w: World, page: number): Vpn {
  return asVpn(w.start + page);
}

/** The row of a page's region. */
export function rowOf(w: World, page: number, mm = w.mm): PmdRow {
  return ensureRow(w.k, mm, vpnOf(w, page));
}

/** The area of a page. */
export function areaOf(w: World, page = 0, mm = w.mm): Vma {
  const vma = findVma(mm, vpnOf(w, page));
  assert(vma !== undefined, "a scenario's page lies in an area");
  return vma;
}

/** A program writes to a page: by its TLB, or by faulting until it may. Returns how the last fault ended. */
export function* write(w: World, page: number, value: number, mm = w.mm): Path<string> {
  return yield* access(w, page, mm, value);
}

/** A program reads a page; what it read is in `seen`, if given. */
export function* read(w: World, page: number, seen?: number[], mm = w.mm): Path<string> {
  return yield* access(w, page, mm, undefined, seen);
}

/** Faults after which an access that does not come through is a livelock of its own. */
const FAULTS_MAX = 30;

function* access(w: World, page: number, mm: Mm, value: number | undefined, seen?: number[]): Path<string> {
  const vpn = vpnOf(w, page);
  let outcome = "no fault";
  for (let faults = 0; ; faults++) {
    const pfn = translate(w.memory, mm, vpn, value !== undefined);
    if (pfn !== -1) {
      if (value !== undefined) store(w.memory, mm, vpn, pfn, value);
      else checkRead(w.memory, mm, vpn, load(w.memory, pfn));
      if (value === undefined) seen?.push(load(w.memory, pfn));
      return outcome;
    }
    assert(faults < FAULTS_MAX, "an access comes through after some faults");
    outcome = yield* handleFault(w.k, mm, vpn, value !== undefined);
    if (outcome === "segv" || outcome === "oom") return outcome;
    yield RETURN_TO_USER;
  }
}

/** Between the end of a fault and the access that is tried again, anything may happen. */
const RETURN_TO_USER = { kind: "preempt" } as const;

/** The page has been used from that node before: the filter of 2012 lets a second use move it. */
export function usedFrom(w: World, page: number, node: number): void {
  // Mainline moves a page at its first fault, as long as the task is young.
  if (w.k.behaviours.numaDesign.policy === "mainline") return;
  const pfn = frameAt(w.k, w.mm, vpnOf(w, page));
  exchangeLast(w.k, headOf(w.k, pfn), node);
}

/** Set-up: every TLB forgets the area, as after a while. */
export function forgetTranslations({ memory }: World): void {
  memory.tlbFrame.fill(0);
}

/** Set-up: a node keeps a frame of each of its pageblocks, so that it has room but no huge page. */
export function holdOneFrameOfEachBlock({ k }: World, node: number): void {
  const frames = k.frames.rows / k.machine.nodes;
  const { pagesPerHuge } = k.geometry;
  const taken: Pfn[] = [];
  for (
    let pfn = allocFast(k, 0, asNode(node), GFP_USER);
    pfn >= 0;
    pfn = allocFast(k, 0, asNode(node), GFP_USER)
  )
    taken.push(pfn);
  for (let more = true; more; ) {
    const pfn = alone(undefined, allocPages(k, 0, asNode(node), GFP_USER | GFP.THISNODE | GFP.NORETRY));
    more = pfn >= 0 && taken.length < frames;
    if (pfn >= 0) taken.push(pfn);
  }
  for (const pfn of taken) {
    if (pfn % pagesPerHuge === 0) k.pins.set(pfn, 1);
    else putPage(k, pfn);
  }
}

/** madvise of [from, to) pages of the area. */
export function* advise(w: World, advice: Advice, from = 0, to = w.pages): Path<number> {
  return yield* madvise(w.k, w.mm, w.start + from, to - from, advice);
}

/** The NUMA scanner marks [from, to) pages of the area, as a task's pass does. */
export function* scan(w: World, from = 0, to = w.pages): Path {
  const { mmapLock } = w.mm;
  const mark = w.k.behaviours.numaDesign.policy === "balancenuma" ? markRange38 : markRange;
  yield mmapLock.acquireRead;
  yield* mark(w.k, areaOf(w, from), w.start + from, w.start + to);
  yield mmapLock.releaseRead;
}
