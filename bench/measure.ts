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

/** CPU seconds of this thread so far: neighbours on a shared machine do not count, nor do V8's helpers. */
export function secondsNow(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

export function measureReplay({ stream, memGib, thp, hardware }: ReplaySetup): Measured {
  let beganAt = 0;
  let seconds = 0;
  const trace = timedReader(
    stream,
    () => {
      beganAt = secondsNow();
    },
    () => {
      seconds = secondsNow() - beganAt;
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
