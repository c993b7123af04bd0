/** One measured replay: a stored stream on a machine, timed from the marker event to the trace's end. */
import { simulateTrace } from "../src/engine/simulate.ts";
import { generationByName } from "../src/generations/index.ts";
import { hardwareByName } from "../src/hardware/index.ts";
import type { Result } from "../src/metrics/result.ts";
import { benchMachine } from "./machines.ts";
import { type StoredStream, timedReader } from "./streams.ts";

export interface ReplaySetup {
  readonly stream: StoredStream;
  readonly memGib: number;
  readonly thp: "always" | "never";
  readonly hardware: string;
}

export interface Measured {
  readonly result: Result;
  readonly seconds: number;
}

/** A moment, by the wall clock and by the CPU time of this thread. */
export interface Moment {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

export function momentNow(): Moment {
  const { user, system } = process.threadCpuUsage();
  return { wallSeconds: Number(process.hrtime.bigint()) / 1e9, cpuSeconds: (user + system) / 1e6 };
}

/** The kernel counts CPU time in ticks of a few milliseconds: below this the wall clock is more exact. */
const CPU_TIME_MIN_SECONDS = 0.05;

/** Seconds since a moment: CPU time, in which neighbours on a shared machine and V8's helpers don't count. */
export function secondsSince(began: Moment): number {
  const now = momentNow();
  const wallSeconds = now.wallSeconds - began.wallSeconds;
  return wallSeconds < CPU_TIME_MIN_SECONDS ? wallSeconds : now.cpuSeconds - began.cpuSeconds;
}

export function measureReplay({ stream, memGib, thp, hardware }: ReplaySetup): Measured {
  let began = momentNow();
  let seconds = 0;
  const trace = timedReader(
    stream,
    () => {
      began = momentNow();
    },
    () => {
      seconds = secondsSince(began);
    },
  );
  const result = simulateTrace({
    generation: generationByName("linux-6.1")!,
    machine: benchMachine(memGib),
    hardware: hardwareByName(hardware)!,
    settings: [["transparent_hugepage/enabled", thp]],
    verify: false,
    name: "bench",
    trace,
  });
  return { result, seconds };
}

/** The fastest of several: on a shared machine the others measure its neighbours. */
export function bestOf(rounds: number, setup: ReplaySetup): Measured {
  let best = measureReplay(setup);
  for (let round = 1; round < rounds; round += 1) {
    globalThis.gc?.();
    const next = measureReplay(setup);
    if (next.seconds < best.seconds) best = next;
  }
  return best;
}
