/** What a run of generated programs keeps: threads, their numbers, and who waits for whom. */
import type { Mm } from "../kernel/mm/mm.ts";
import type { NumaTask } from "../kernel/numa/state.ts";
import { makePrng } from "../lib/prng.ts";
import type { Affinity, Body, ProgramMachine, Self } from "../workloads/generators/program.ts";
import { makeRegions, makeSpace, type Space } from "../workloads/generators/space.ts";
import { BATCH_RECORDS } from "../workloads/generators/touch.ts";
import { makeRefBatch, type TraceReader } from "../workloads/records.ts";
import { makeReplay, type Replay, type ReplayThread } from "./replay-state.ts";
import type { Session } from "./session.ts";

/** A thread of a generated program. */
export interface ProgramThread extends ReplayThread {
  readonly self: Self;
  /** Threads that wait for its end. */
  readonly joiners: ProgramThread[];
  /** It waits for another's end: its CPU is another's meanwhile. */
  joining: boolean;
}

export interface ProgramRun {
  readonly session: Session;
  readonly replay: Replay;
  readonly threads: ProgramThread[];
  processes: number;
  alive: number;
}

/** How a thread comes to the world. */
export interface ThreadBirth {
  readonly mm: Mm;
  readonly space: Space;
  readonly numa: NumaTask;
  readonly name: string;
  readonly affinity: Affinity;
  readonly body: Body;
}

/** A trace without items: the replay's part that is shared looks up pages by its regions. */
function emptyTrace(program: string): TraceReader {
  return {
    header: {
      source: "generator",
      program,
      timeUnit: "ns",
      coverage: "references",
      layout: "native",
      recordedUnder: "",
    },
    threads: [],
    regions: makeRegions(),
    next: () => undefined,
  };
}

export function makeProgramRun(session: Session, name: string): ProgramRun {
  return {
    session,
    replay: makeReplay(session, emptyTrace(name)),
    threads: [],
    processes: 0,
    alive: 0,
  };
}

export function addSpace(run: ProgramRun): Space {
  return makeSpace(run.processes++, run.replay.trace.regions);
}

/** A thread's own view. Seeds of threads differ by their number, of runs by the machine's seed. */
export function makeSelf(run: ProgramRun, index: number, space: Space): Self {
  const { nodes, cpus, memBytes, geometry, seed } = run.session.k.machine;
  const machine: ProgramMachine = { nodes, cpus, memBytes, hugeBytes: geometry.pagesPerHuge * 4096 };
  return {
    index,
    machine,
    random: makePrng(seed * 2 ** 20 + index),
    space,
    nowNs: 0,
    result: 0,
    batch: { ...makeRefBatch(BATCH_RECORDS), lines: new Uint8Array(BATCH_RECORDS) },
  };
}
