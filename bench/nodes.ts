/**
 * A machine of many nodes: how long it takes to simulate ten seconds of it. The threads of two processes zero
 * slices of their own, which begin on the wrong nodes and are moved by NUMA balancing meanwhile.
 */
import { simulate } from "../src/engine/simulation.ts";
import { workloadByName } from "../src/workloads/generators/index.ts";
import { momentNow, secondsSince } from "./measure.ts";

export interface NodesFigures {
  readonly machine: string;
  readonly threads: number;
  readonly footprintGib: number;
  /** Simulated time of the run. */
  readonly machineSeconds: number;
  readonly seconds: number;
  /** Threads' time that was simulated, for each second of this machine's. */
  readonly threadSecondsPerSecond: number;
}

export function measureNodes(small: boolean): NodesFigures {
  const [nodes, cpus, memGib] = small ? [2, 8, 4] : [8, 128, 384];
  const workload = workloadByName(
    `numa01_THREADLOCAL,size=${small ? "64M" : "32G"},rounds=${small ? 20 : 60}`,
  );
  const machine = { nodes, cpus, memBytes: memGib * 2 ** 30 };
  const began = momentNow();
  const { result } = simulate(workload, { machine });
  const seconds = secondsSince(began);
  const machineSeconds = result.runNs / 1e9;
  return {
    machine: result.machine,
    threads: cpus,
    footprintGib: result.touchedPeakKb / 2 ** 20,
    machineSeconds,
    seconds,
    threadSecondsPerSecond: (machineSeconds * cpus) / seconds,
  };
}
