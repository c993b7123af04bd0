/**
 * The questions of AutoNUMA's review, answered from runs: `npm run autonuma`.
 *
 * 1. What does a global mutex at every fork and exit cost, by CPUs that fork and by how often they do?
 * 2. How long do the queues grow, how many pages are lost on the way, what does the scanner call progress?
 */

import { runScript } from "../src/engine/script.ts";
import { openSession } from "../src/engine/session.ts";
import { machineSpec } from "../src/engine/simulation.ts";
import { generationByName } from "../src/generations/index.ts";
import { hardwareByName } from "../src/hardware/index.ts";
import { autonuma } from "../src/kernel/numa/autonuma/of.ts";
import { below, makePrng } from "../src/lib/prng.ts";
import { parseScript } from "../src/workloads/script/parse.ts";

const small = process.argv.includes("--small");
const GIB = 2 ** 30;

function session(generation: string, cpus: number) {
  return openSession({
    generation: generationByName(generation)!,
    machine: machineSpec({ nodes: 4, cpus, memBytes: 4 * GIB }, undefined),
    hardware: hardwareByName("zen4")!,
    settings: [],
    verify: false,
    name: "autonuma",
  });
}

interface Contention {
  readonly forksPerSecond: number;
  /** Share of acquisitions that waited. */
  readonly waitedRatio: number;
  readonly meanWaitNs: number;
  readonly maxWaitNs: number;
  /** Share of all CPU time that was spent waiting for the mutex. */
  readonly lostRatio: number;
}

/** What the first process needs to start one worker, and more: so much later each of them is awaited. */
const START_US = 130;

/** `forking` CPUs of 128 fork a child that exits at once, again and again, with a pause in between. */
function contention(generation: string, forking: number, pauseUs: number, rounds: number): Contention {
  const random = makePrng(1);
  const workers = Array.from({ length: forking }, (_, cpu) => {
    // Programs are not in step: each child follows the last by up to 20 us more.
    const child = () => `fork c {\n}\njoin c\nsleep ${pauseUs + 1 + below(random, 20)}us\n`;
    const children = Array.from({ length: rounds }, child).join("");
    // All begin at one moment, when the last of them has been started.
    const wait = `sleep ${(forking - cpu) * START_US}us\n`;
    return `fork w${cpu} {\ncpu ${cpu}\n${wait}${children}}\n`;
  });
  const script = parseScript(workers.join(""), "forks.pw");
  const run = session(generation, 128);
  runScript(run, script);
  const { stats } = autonuma(run.k).mutex;
  const seconds = run.d.nowNs / 1e9 - (forking * START_US) / 1e6;
  return {
    forksPerSecond: (forking * rounds) / seconds,
    waitedRatio: stats.acquisitions === 0 ? 0 : stats.waits / stats.acquisitions,
    meanWaitNs: stats.waits === 0 ? 0 : stats.waitTotalNs / stats.waits,
    maxWaitNs: stats.waitMaxNs,
    lostRatio: stats.waitTotalNs / 1e9 / (forking * seconds),
  };
}

function printContention(): void {
  const cpus = small ? [1, 8] : [1, 2, 4, 8, 16, 32, 64, 128];
  const rounds = small ? 5 : 40;
  console.log("1. The global mutex: 128 CPUs, 4 nodes; some of them fork children that exit at once\n");
  console.log("                                 listed at fork (posted)                  by the scanner");
  console.log("pause    CPUs    forks/s    waited   mean wait   longest   time lost      forks/s    waited");
  for (const pauseUs of small ? [0] : [0, 1000]) {
    const bars: string[] = [];
    for (const forking of cpus) {
      const posted = contention("autonuma", forking, pauseUs, rounds);
      const reviewed = contention("autonuma-reviewed", forking, pauseUs, rounds);
      const cells = [
        `${pauseUs} us`.padEnd(7),
        String(forking).padStart(5),
        posted.forksPerSecond.toFixed(0).padStart(10),
        percent(posted.waitedRatio).padStart(9),
        micros(posted.meanWaitNs).padStart(11),
        micros(posted.maxWaitNs).padStart(9),
        percent(posted.lostRatio).padStart(11),
        reviewed.forksPerSecond.toFixed(0).padStart(12),
        percent(reviewed.waitedRatio).padStart(9),
      ];
      console.log(cells.join(" "));
      bars.push(`${String(forking).padStart(4)} CPUs ${"█".repeat(Math.round(posted.waitedRatio * 60))}`);
    }
    console.log(`\nacquisitions that waited, pause ${pauseUs} us (60 blocks are all of them)`);
    console.log(bars.join("\n") + "\n");
  }
}

const percent = (ratio: number): string => (ratio * 100).toFixed(1) + " %";
const micros = (ns: number): string => (ns / 1000).toFixed(1) + " us";

/** One process whose memory lies on node 0; threads on all CPUs write their parts of it 50 times a second. */
function spreadingProgram(cpus: number, seconds: number): string {
  const threads = Array.from({ length: cpus }, (_, cpu) => {
    const range = `${cpu * 8}M..${(cpu + 1) * 8}M`;
    return `thread t${cpu} {\ncpu ${cpu}\nduring ${seconds}s {\nwrite buf ${range}\nsleep 20ms\n}\n}\n`;
  });
  const joins = Array.from({ length: cpus }, (_, cpu) => `join t${cpu}\n`);
  return `cpu 0\nmap buf ${cpus * 8}M align 2M\nwrite buf\n${threads.join("")}${joins.join("")}`;
}

function printQueues(): void {
  const cpus = small ? 4 : 16;
  const seconds = small ? 12 : 40;
  console.log(`2. Queues and progress: ${cpus} threads on 4 nodes, ${cpus * 8} MiB that lie on node 0\n`);
  for (const generation of ["autonuma", "autonuma-reviewed"]) {
    const run = session(generation, cpus);
    const a = autonuma(run.k);
    const { onSample } = run.d;
    const lengths: string[] = [];
    let nextNs = 0;
    run.d.onSample = (tNs) => {
      onSample?.(tNs);
      if (tNs < nextNs) return;
      nextNs = tNs + 1e9;
      const waiting = a.queues.map(({ pages }) => String(pages).padStart(7)).join("");
      lengths.push(`${(tNs / 1e9).toFixed(0).padStart(4)} s${waiting}`);
    };
    runScript(run, parseScript(spreadingProgram(cpus, seconds), "spread.pw"));
    const { figures } = a;
    console.log(`${generation}: pages in the queues of nodes 0 to 3, where they changed`);
    const counts = (line: string) => line.slice(6);
    console.log(lengths.filter((line, i) => counts(line) !== counts(lengths[i - 1] ?? "")).join("\n"));
    console.log(`longest queue ${figures.queuePeakPages} pages`);
    console.log(
      `queued ${figures.queuedPages}, cancelled ${figures.cancelledPages}, ` +
        `isolated ${figures.isolatedPages}, moved ${figures.movedPages}, ` +
        `failed ${figures.failedPages}, lost ${figures.lostPages}`,
    );
    console.log(
      `full_scans ${a.fullScans}, pages_scanned ${a.pagesScanned}, pages_migrated ${a.pagesMigrated}; ` +
        `progress reported ${figures.progressPages}, entries marked ${figures.markedPages}, ` +
        `rounds without anything to scan ${figures.pretendedRounds}\n`,
    );
  }
}

printContention();
printQueues();
