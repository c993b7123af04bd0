/**
 * `npm run autonumabench`: the benchmark of the NUMA designs of 2012 beside the tables that were published.
 *
 *     npm run autonumabench [-- MACHINE [WORKLOAD [SCALE]]]       MACHINE: 4x12, 4x8 or 8x8; SCALE: 64
 *
 * Memory is a 64th of the real machine's and the real program's, unless told; time is as it was. AutoNUMA and
 * numa/core run in two forms: as the mails describe them, and in the last one before the published table.
 */
import { simulate } from "../src/engine/simulation.ts";
import { workloadByName } from "../src/workloads/generators/index.ts";

/** The programs as they were published: MiB, and rounds. */
const PROGRAMS = {
  numa01: { name: "numa01", sizeMib: 3072, rounds: 50 },
  numa01_THREADLOCAL: { name: "numa01_THREADLOCAL", sizeMib: 3072, rounds: 1000 },
  numa02: { name: "numa02", sizeMib: 1024, rounds: 800 },
  numa02_SMT: { name: "numa02_SMT", sizeMib: 1024, rounds: 800 },
} as const;

type Program = keyof typeof PROGRAMS;

/** Each design, and the column of the published table that it belongs to. */
const DESIGNS = [
  { generation: "autonuma", column: 0 },
  { generation: "autonuma-28", column: 0 },
  { generation: "numacore", column: 1 },
  { generation: "numacore-november", column: 1 },
  { generation: "linux-3.8", column: 2 },
] as const;

/** Nothing is the right place in numa01, so that chance decides: several seeds show how much. */
const SEEDS: Readonly<Record<string, readonly number[]>> = { numa01: [1, 2, 3] };

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

interface Run {
  readonly table: Table;
  readonly machine: string;
  readonly scale: number;
}

function secondsOf({ table, machine, scale }: Run, program: Program, generation: string): number[] {
  const { nodes, cpus, memGib } = table;
  const { name, sizeMib, rounds } = PROGRAMS[program];
  const workload = workloadByName(`${name},size=${sizeMib / scale}M,rounds=${rounds}`);
  return (SEEDS[program] ?? [1]).map((seed) => {
    const { result } = simulate(workload, {
      generation,
      hardware: `numa-2012-${machine}`,
      machine: { nodes, cpus, memBytes: memGib * 2 ** 30, scale, seed },
    });
    return result.runNs / 1e9;
  });
}

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

/** Ratio to the base: of the mean, and of the shortest and the longest run where there were several. */
function ratioOf(seconds: readonly number[], base: number): string {
  const ratio = (mean(seconds) / base).toFixed(2);
  if (seconds.length === 1) return ratio;
  const [least, most] = [Math.min(...seconds) / base, Math.max(...seconds) / base];
  return `${ratio} [${least.toFixed(2)}..${most.toFixed(2)}]`;
}

function cell(seconds: readonly number[], base: number, expected: number): string {
  const measured = `${mean(seconds).toFixed(1)} s ${ratioOf(seconds, base)}`;
  if (Number.isNaN(expected)) return measured;
  const off = Math.round((mean(seconds) / base / expected - 1) * 100);
  return `${measured} (${expected.toFixed(2)}, ${off < 0 ? "" : "+"}${off} %)`;
}

function runTable(machine: string, only: string | undefined, scale: number): void {
  const table = TABLES[machine]!;
  console.log(`${machine}: ${table.title}`);
  console.log(
    `scale ${scale}; mean time, ratio to the base [of each run] (published ratio, distance from it)\n`,
  );
  for (const [program, [publishedBase, ...published]] of Object.entries(table.published)) {
    if (only !== undefined && only !== program) continue;
    const run = { table, machine, scale };
    const bases = secondsOf(run, program as Program, "linux-3.7-nobalance");
    const base = mean(bases);
    console.log(`${program}: linux-3.7-nobalance ${base.toFixed(1)} s (${publishedBase} s)`);
    for (const { generation, column } of DESIGNS) {
      const seconds = secondsOf(run, program as Program, generation);
      const line = cell(seconds, base, published[column]! / publishedBase!);
      console.log(`  ${generation.padEnd(18)} ${line}`);
    }
  }
  console.log("");
}

const [machine, program, scale = "64"] = process.argv.slice(2);
if (machine !== undefined && TABLES[machine] === undefined) {
  console.error(`machine: expected ${Object.keys(TABLES).join(", ")}, found ${machine}`);
  process.exit(2);
}
for (const name of machine === undefined ? Object.keys(TABLES) : [machine]) {
  runTable(name, program, Number(scale));
}
