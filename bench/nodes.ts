/**
 * A machine of many nodes: how long it takes to simulate ten seconds of it. The threads of two processes zero
 * their buffers, which begin on one node each and are moved by NUMA balancing meanwhile. The program itself
 * would take minutes: it is stopped.
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

const STOP_SECONDS = 10;

/** Thrown to end a run of which enough has been seen. */
class Enough extends Error {}

export function measureNodes(small: boolean): NodesFigures {
  const [nodes, cpus, memGib, sizeMib] = small ? [2, 8, 4, 64] : [8, 128, 384, 32 * 1024];
  const workload = workloadByName(`numa01_THREADLOCAL,size=${sizeMib}M,rounds=${small ? 20 : 60}`);
  const machine = { nodes, cpus, memBytes: memGib * 2 ** 30 };
  let machineSeconds = 0;
  const onProgress = (simulated: string): void => {
    machineSeconds = Number.parseFloat(simulated);
    if (machineSeconds >= STOP_SECONDS) throw new Enough();
  };
  const began = momentNow();
  try {
    machineSeconds = simulate(workload, { machine, onProgress }).result.runNs / 1e9;
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  const seconds = secondsSince(began);
  return {
    machine: `nodes=${nodes} cpus=${cpus} mem=${memGib}G`,
    threads: cpus,
    footprintGib: (2 * sizeMib) / 1024,
    machineSeconds,
    seconds,
    threadSecondsPerSecond: (machineSeconds * cpus) / seconds,
  };
}
