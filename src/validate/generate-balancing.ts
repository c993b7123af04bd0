/**
 * Random scripts about automatic NUMA balancing, made so that they settle: each region is used from one node
 * at a time, long enough for every page to have followed; what cannot follow (pinned, or nobody uses it)
 * stays.
 *
 *     map, write on one node ──▶ snapshot ──▶ move to a CPU ──▶ keep using it ──▶ snapshot ──▶ …
 */
import { below, type Prng } from "../lib/prng.ts";
import type { Script, Statement } from "../workloads/script/ast.ts";
import { pick, weighted } from "./pick.ts";

const MIB = 2 ** 20;
const SECOND_NS = 1e9;
/** Regions lie far apart: none gets another's neighbour. */
const FIRST_ADDRESS = 0x600000000000;
const APART_BYTES = 0x100000000;
const NODES = 2;
const CPUS = 4;
/** A region that is used without a break has followed well before that. */
const SETTLED_NS = 4 * SECOND_NS;

interface Used {
  readonly region: string;
  readonly from: number;
  readonly to: number;
}

function settings(rng: Prng): Script["settings"] {
  const chosen = [
    ["kernel.numa_balancing", below(rng, 8) === 0 ? "0" : "1"],
    // Passes come fast, so that a few seconds are enough.
    ["sched/numa_balancing/scan_delay_ms", "100"],
    ["sched/numa_balancing/scan_period_min_ms", "100"],
    ["sched/numa_balancing/scan_period_max_ms", "400"],
    ["transparent_hugepage/enabled", pick(rng, ["always", "never", "madvise"])],
    ["transparent_hugepage/khugepaged/scan_sleep_millisecs", "600000"],
  ] as const;
  return chosen.map(([knob, value], line) => ({ knob, value, line }));
}

function mapAndTouch(rng: Prng, region: string, index: number, line: number): Statement[] {
  const size = pick(rng, [2, 4, 4, 8]) * MIB;
  const at = FIRST_ADDRESS + index * APART_BYTES;
  const map: Statement = {
    ...{ op: "map", line, region, size, at, align: undefined, prot: "rw", shared: false, populate: false },
  };
  const touch: Statement = {
    ...{ op: "write", line, region, range: undefined, step: 4096, random: undefined },
  };
  const advice: Statement = { op: "advise", line, region, range: undefined, advice: "hugepage" };
  return below(rng, 4) === 0 ? [map, advice, touch] : [map, touch];
}

/** Uses a part of a region over and over. */
function use(rng: Prng, { region, from, to }: Used, line: number): Statement {
  const op = pick(rng, ["read", "write"] as const);
  const body: Statement[] = [{ op, line, region, range: { from, to }, step: 4096, random: undefined }];
  return { op: "during", line, ns: SETTLED_NS, body };
}

/** Half of a region, or all: the other half stays where it is. */
function part(rng: Prng, region: string, size: number): Used {
  return weighted(rng, [
    [3, { region, from: 0, to: size }],
    [1, { region, from: 0, to: size / 2 }],
    [1, { region, from: size / 2, to: size }],
  ]);
}

/** One task that goes to another CPU, or a thread for each region, each on a CPU of its own. */
function phase(rng: Prng, parts: readonly Used[], line: number): Statement[] {
  if (parts.length > 1 && below(rng, 2) === 0) {
    const threads = parts.map((each, i): Statement => {
      const body: Statement[] = [{ op: "cpu", line, cpu: (below(rng, NODES) * CPUS) / NODES + i }];
      return { op: "thread", line, name: `t${line}-${i}`, body: [...body, use(rng, each, line)] };
    });
    const joins = parts.map((_, i): Statement => ({ op: "join", line, name: `t${line}-${i}` }));
    return [...threads, ...joins];
  }
  return [{ op: "cpu", line, cpu: below(rng, CPUS) }, use(rng, pick(rng, parts), line)];
}

/** A script of one or two phases. */
export function balancingScript(rng: Prng, name: string): Script {
  const body: Statement[] = [{ op: "cpu", line: 0, cpu: below(rng, CPUS) }];
  const regions = Array.from({ length: 1 + below(rng, 2) }, (_, i) => `r${i}`);
  const sizes = regions.map((region, i) => {
    const made = mapAndTouch(rng, region, i, i);
    body.push(...made);
    const map = made[0]!;
    return map.op === "map" ? map.size : 0;
  });
  if (below(rng, 4) === 0) {
    const range = { from: 0, to: pick(rng, [4096, 65536, MIB]) };
    body.push({ op: "pin", line: 0, region: pick(rng, regions), range, prot: "rw" });
  }
  body.push({ op: "snapshot", line: 0, label: "placed" });
  const phases = 1 + below(rng, 2);
  for (let i = 0; i < phases; i++) {
    const parts = regions.map((region, at) => part(rng, region, sizes[at]!));
    body.push(...phase(rng, parts, 10 + i), { op: "snapshot", line: 10 + i, label: `settled${i}` });
  }
  const machine = { nodes: NODES, cpus: CPUS, memBytes: 2 ** 30, hugeBytes: undefined };
  return { file: name, machine, settings: settings(rng), body, expectations: [] };
}
