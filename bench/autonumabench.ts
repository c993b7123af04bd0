/**
 * `npm run autonumabench`: the benchmark of the NUMA designs of 2012 beside the tables that were published.
 *
 *     npm run autonumabench [-- MACHINE [WORKLOAD [SCALE]]]       MACHINE: 4x12, 4x8 or 8x8; SCALE: 64
 *
 * Memory is a 64th of the real machine's and the real program's, unless told; time is as it was. AutoNUMA and
 * numa/core run as the mails describe them, and in the forms that were measured for the published tables:
 * autonuma-27 and -28, numacore.
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

const GENERATIONS = [
  "autonuma",
  "autonuma-27",
  "autonuma-28",
  "numacore-october",
  "numacore",
  "linux-3.8",
] as const;

type Measured = (typeof GENERATIONS)[number];

/** Nothing is the right place in numa01, so that chance decides: several seeds show how much. */
const SEEDS: Readonly<Record<string, readonly number[]>> = { numa01: [1, 2, 3, 4] };

/** What was published of a program: seconds, and for each design those of the base beside it. */
interface Published {
  readonly baseS: number;
  readonly designs: Partial<Record<Measured, readonly [seconds: number, baseS: number]>>;
}

interface Table {
  readonly title: string;
  readonly nodes: number;
  readonly cpus: number;
  readonly memGib: number;
  readonly programs: Readonly<Record<Program, Published>>;
}

/** M. Gorman's two tables: 6 November (autonuma v27r8, schednuma v1r4), 9 December (the others). */
function gorman(
  [base6, v27, october]: readonly [number, number, number],
  [base9, v28, november, v10]: readonly [number, number, number, number],
): Published {
  const designs: Published["designs"] = {
    "autonuma-27": [v27, base6],
    "autonuma-28": [v28, base9],
    "numacore-october": [october, base6],
    numacore: [november, base9],
    "linux-3.8": [v10, base9],
  };
  return { baseS: base9, designs };
}

function molnar(baseS: number, november: number, autonuma?: number): Published {
  const designs: Published["designs"] = { numacore: [november, baseS] };
  if (autonuma !== undefined) designs["autonuma-27"] = [autonuma, baseS];
  return { baseS, designs };
}

function dronamraju(baseS: number, autonuma: number, november: number, v7: number): Published {
  const designs: Published["designs"] = {
    "autonuma-27": [autonuma, baseS],
    numacore: [november, baseS],
    "linux-3.8": [v7, baseS],
  };
  return { baseS, designs };
}

const TABLES: Readonly<Record<string, Table>> = {
  "4x12": {
    title:
      "M. Gorman, 6 Nov 2012: autonuma v27r8, schednuma v1r4; " +
      "9 Dec: autonuma v28fastr4, numacore of 30 Nov, balancenuma v10r3",
    nodes: 4,
    cpus: 48,
    memGib: 64,
    programs: {
      numa01: gorman([1512.97, 724.38, 1407.59], [1511.76, 701.62, 575.93, 1352.74]),
      numa01_THREADLOCAL: gorman([1264.23, 389.51, 380.64], [1387.17, 378.47, 398.55, 387.93]),
      numa02: gorman([181.52, 60.65, 52.68], [176.81, 53.45, 51.14, 49.77]),
      numa02_SMT: gorman([163.59, 53.45, 48.81], [163.96, 48.17, 48.92, 48.63]),
    },
  },
  "4x8": {
    title: "I. Molnar, Nov 2012: AutoNUMA, numa/core v16 (numa02_SMT: of about 12 Nov)",
    nodes: 4,
    cpus: 32,
    memGib: 64,
    programs: {
      numa01: molnar(340.3, 139.4, 192.3),
      numa01_THREADLOCAL: molnar(425.1, 121.1, 135.1),
      numa02: molnar(56.1, 17.5, 25.3),
      numa02_SMT: molnar(56.1, 17.3),
    },
  },
  "8x8": {
    title: "S. Dronamraju, Nov 2012: autonuma (3.6), tip of 23 Nov, balancenuma v7r6",
    nodes: 8,
    cpus: 64,
    memGib: 256,
    programs: {
      numa01: dronamraju(1595.92, 2211.19, 1555.51, 1703.47),
      numa01_THREADLOCAL: dronamraju(1233.83, 381.67, 321.26, 1681.84),
      numa02: dronamraju(132.66, 58.25, 36.62, 181.77),
      numa02_SMT: dronamraju(202.97, 63.67, 40.35, 313.6),
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

function cell(seconds: readonly number[], base: number, expected: number | undefined): string {
  const measured = `${mean(seconds).toFixed(1)} s ${ratioOf(seconds, base)}`;
  if (expected === undefined) return measured;
  const off = Math.round((mean(seconds) / base / expected - 1) * 100);
  return `${measured} (${expected.toFixed(2)}, ${off < 0 ? "" : "+"}${off} %)`;
}

function runTable(machine: string, only: string | undefined, scale: number): void {
  const table = TABLES[machine]!;
  console.log(`${machine}: ${table.title}`);
  console.log(
    `scale ${scale}; mean time, ratio to the base [of each run] (published ratio, distance from it)\n`,
  );
  for (const program of Object.keys(table.programs) as Program[]) {
    if (only !== undefined && only !== program) continue;
    const { baseS, designs } = table.programs[program];
    const run = { table, machine, scale };
    const base = mean(secondsOf(run, program, "linux-3.7-nobalance"));
    console.log(`${program}: linux-3.7-nobalance ${base.toFixed(1)} s (${baseS} s)`);
    for (const generation of GENERATIONS) {
      const seconds = secondsOf(run, program, generation);
      const published = designs[generation];
      const line = cell(seconds, base, published && published[0] / published[1]);
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
