/**
 * `npm run autonumabench`: the benchmark of the NUMA designs of 2012 beside the tables that were published.
 *
 *     npm run autonumabench [-- MACHINE [WORKLOAD]]       MACHINE: 4x12, 4x8 or 8x8
 *
 * Memory is a sixteenth of the real machine's and the real program's; time is as it was.
 */
import { simulate } from "../src/engine/simulation.ts";
import { workloadByName } from "../src/workloads/generators/index.ts";

const SCALE = 16;
/** The programs as they were published, with a sixteenth of their memory. */
const PROGRAMS: Readonly<Record<string, string>> = {
  numa01: "numa01,size=192M,rounds=50",
  numa01_THREADLOCAL: "numa01_THREADLOCAL,size=192M,rounds=1000",
  numa02: "numa02,size=64M,rounds=800",
  numa02_SMT: "numa02_SMT,size=64M,rounds=800",
};
const DESIGNS = ["autonuma", "numacore", "linux-3.8"] as const;

interface Table {
  readonly title: string;
  readonly nodes: number;
  readonly cpus: number;
  readonly memGib: number;
  /** Seconds: base, AutoNUMA, numa/core, balancenuma; NaN where there is none. */
  readonly published: Readonly<Record<string, readonly number[]>>;
}

const NONE = Number.NaN;

const TABLES: Readonly<Record<string, Table>> = {
  "4x12": {
    title: "M. Gorman, 9 Dec 2012: autonuma v28fastr4, numacore of 30 Nov, balancenuma v10r3",
    nodes: 4,
    cpus: 48,
    memGib: 64,
    published: {
      numa01: [1511.76, 701.62, 575.93, 1352.74],
      numa01_THREADLOCAL: [1387.17, 378.47, 398.55, 387.93],
      numa02: [176.81, 53.45, 51.14, 49.77],
      numa02_SMT: [163.96, 48.17, 48.92, 48.63],
    },
  },
  "4x8": {
    title: "I. Molnar, Nov 2012: AutoNUMA, numacore of about 12 Nov",
    nodes: 4,
    cpus: 32,
    memGib: 64,
    published: {
      numa01: [340.3, 192.3, 216.9, NONE],
      numa01_THREADLOCAL: [425.1, 135.1, 118.7, NONE],
      numa02: [56.1, 25.3, 17.0, NONE],
      numa02_SMT: [56.1, NONE, 17.3, NONE],
    },
  },
  "8x8": {
    title: "S. Dronamraju, Nov 2012: autonuma (3.6), tip of 23 Nov, balancenuma v7r6",
    nodes: 8,
    cpus: 64,
    memGib: 256,
    published: {
      numa01: [1595.92, 2211.19, 1555.51, 1703.47],
      numa01_THREADLOCAL: [1233.83, 381.67, 321.26, 1681.84],
      numa02: [132.66, 58.25, 36.62, 181.77],
      numa02_SMT: [202.97, 63.67, 40.35, 313.6],
    },
  },
};

function secondsOf(table: Table, machine: string, workload: string, generation: string): number {
  const { nodes, cpus, memGib } = table;
  const { result } = simulate(workloadByName(PROGRAMS[workload]!), {
    generation,
    hardware: `numa-2012-${machine}`,
    machine: { nodes, cpus, memBytes: memGib * 2 ** 30, scale: SCALE },
  });
  return result.runNs / 1e9;
}

function cell(seconds: number, base: number, published: number, publishedBase: number): string {
  const ratio = seconds / base;
  const expected = published / publishedBase;
  if (Number.isNaN(expected)) return `${seconds.toFixed(1)} s ${ratio.toFixed(2)}`;
  const off = ((ratio / expected - 1) * 100).toFixed(0);
  const sign = off.startsWith("-") ? "" : "+";
  return `${seconds.toFixed(1)} s ${ratio.toFixed(2)} (${expected.toFixed(2)}, ${sign}${off} %)`;
}

function runTable(machine: string, only: string | undefined): void {
  const table = TABLES[machine]!;
  console.log(`${machine}: ${table.title}`);
  console.log("time, ratio to the base (published ratio, distance from it)\n");
  console.log(["".padEnd(19), "linux-3.7-nobalance", ...DESIGNS.map((name) => name.padEnd(29))].join("  "));
  for (const [workload, [publishedBase, ...published]] of Object.entries(table.published)) {
    if (only !== undefined && only !== workload) continue;
    const base = secondsOf(table, machine, workload, "linux-3.7-nobalance");
    const cells = DESIGNS.map((design, i) =>
      cell(secondsOf(table, machine, workload, design), base, published[i]!, publishedBase!).padEnd(29),
    );
    const first = `${base.toFixed(1)} s (${publishedBase})`.padEnd(19);
    console.log([workload.padEnd(19), first, ...cells].join("  ").trimEnd());
  }
  console.log("");
}

const [machine, workload] = process.argv.slice(2);
if (machine !== undefined && TABLES[machine] === undefined) {
  console.error(`machine: expected ${Object.keys(TABLES).join(", ")}, found ${machine}`);
  process.exit(2);
}
for (const name of machine === undefined ? Object.keys(TABLES) : [machine]) runTable(name, workload);
