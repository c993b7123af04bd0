/**
 * Random scripts for the soak: everything the script language has, in any order, on a machine that is short
 * of memory. Unlike the scripts of `pagewise fuzz`, they need not come out the same on a real kernel: tasks
 * run side by side, the daemons are awake, and memory is swapped.
 */

import { LIFE } from "../../src/core/geometry.ts";
import { MIB } from "../../src/core/units.ts";
import type { MachineSpec } from "../../src/kernel/machine.ts";
import { evenDistances } from "../../src/kernel/machine.ts";
import { below, makePrng, type Prng } from "../../src/lib/prng.ts";

interface Region {
  readonly name: string;
  sizeKb: number;
}

/** A script in the making. Names are new each time, and what a child maps its parent does not know. */
interface Making {
  readonly rng: Prng;
  readonly regions: Region[];
  readonly counter: { next: number };
}

function pick<T>(rng: Prng, choices: readonly T[]): T {
  return choices[below(rng, choices.length)]!;
}

const SIZES_KB = [4, 64, 1024, 2048, 2052, 3072, 4096, 4096, 6144, 8188, 8192, 16384];
const STEPS = ["4K", "4K", "64K", "2M"];
const ADVICE =
  "hugepage nohugepage collapse dontneed free cold pageout willneed dontfork collapse dontneed pageout".split(
    " ",
  );
const ENABLED = ["always", "always", "always", "madvise", "never"];
const DEFRAG = ["always", "defer", "defer+madvise", "madvise", "never"];

/** A range whose edges are often those of huge pages, mostly inside of the region; or all of it. */
function range(rng: Prng, { sizeKb }: Region): string {
  if (below(rng, 5) < 2) return "";
  const unitKb = pick(rng, [4, 4, 64, 1024, 2048]);
  const units = Math.max(1, Math.floor(sizeKb / unitKb));
  const fromKb = below(rng, units) * unitKb;
  const lengthKb = (1 + below(rng, pick(rng, [1, 4, 16]))) * unitKb;
  const toKb = below(rng, 16) === 0 ? fromKb + lengthKb : Math.min(fromKb + lengthKb, sizeKb);
  return ` ${fromKb}K..${toKb}K`;
}

function map({ rng, regions, counter }: Making): string {
  const region = { name: `r${counter.next++}`, sizeKb: pick(rng, SIZES_KB) };
  regions.push(region);
  const place = pick(rng, ["", " align 2M", " align 2M", " align 4K"]);
  const access = pick(rng, ["", "", "", "", "", "", "", "", " ro", " none"]);
  const kind = pick(rng, ["", "", "", "", "", "", " shared", " populate"]);
  return `map ${region.name} ${region.sizeKb}K${place}${access}${kind}`;
}

/** One plain statement about one of the regions. */
function statement(m: Making): string {
  const { rng } = m;
  const region = pick(rng, m.regions);
  const { name } = region;
  const kind = below(rng, 100);
  const touch = below(rng, 3) === 0 ? "read" : "write";
  if (kind < 42) return `${touch} ${name}${range(rng, region)} step ${pick(rng, STEPS)}`;
  if (kind < 48) return `${touch} ${name} random ${1 + below(rng, 1000)} ${1 + below(rng, 200)}`;
  if (kind < 68) return `advise ${name}${range(rng, region)} ${pick(rng, ADVICE)}`;
  if (kind < 75) return `protect ${name}${range(rng, region)} ${pick(rng, ["ro", "rw", "rw", "rw", "none"])}`;
  if (kind < 80) return `unmap ${name}${range(rng, region)}`;
  if (kind < 84) return map(m);
  if (kind < 90) return remap(rng, region);
  if (kind < 92) return `pin ${name} ${pick(rng, ["0..4K", "0..64K", "2M..2052K"])}`;
  if (kind < 95) return `sleep ${pick(rng, ["1ms", "20ms", "300ms"])}`;
  if (kind < 97) return `cpu ${below(rng, 2)}`;
  return "snapshot s";
}

function remap(rng: Prng, region: Region): string {
  region.sizeKb = below(rng, 2) === 0 ? region.sizeKb : pick(rng, SIZES_KB);
  return `remap ${region.name} ${region.sizeKb}K${placeOfMove(rng)}`;
}

/** Half of all moves leave the address to the kernel; of the rest some are aligned as the region was. */
function placeOfMove(rng: Prng): string {
  if (below(rng, 2) === 0) return "";
  const page = pick(rng, [0, 0, 1, 511]);
  return ` at 0x${(0x700000000000 + below(rng, 64) * 0x1000000 + page * 4096).toString(16)}`;
}

/** What a child knows; what it changes is its own. */
function copyOf(m: Making): Making {
  return { ...m, regions: m.regions.map((region) => ({ ...region })) };
}

/** A child or thread that does a few things, and is waited for now, later or never. */
function task(m: Making): string[] {
  const { rng, counter } = m;
  const name = `t${counter.next++}`;
  const inside = copyOf(m);
  const lines = [`${pick(rng, ["fork", "fork", "thread"])} ${name} {`];
  for (let left = 1 + below(rng, 5); left > 0; left--) lines.push("  " + statement(inside));
  lines.push("}");
  return below(rng, 2) === 0 ? lines : [...lines, `join ${name}`];
}

function settings(rng: Prng): string[] {
  const thp = "set transparent_hugepage/";
  const lines = [`${thp}enabled ${pick(rng, ENABLED)}`, `${thp}defrag ${pick(rng, DEFRAG)}`];
  lines.push(`${thp}use_zero_page ${below(rng, 2)}`);
  lines.push(`${thp}khugepaged/scan_sleep_millisecs ${pick(rng, [10, 10, 10_000])}`);
  lines.push(`${thp}khugepaged/alloc_sleep_millisecs 20`);
  if (below(rng, 2) === 0) lines.push(`${thp}khugepaged/max_ptes_none ${pick(rng, [0, 64, 255, 409])}`);
  if (below(rng, 3) === 0) lines.push(`${thp}khugepaged/max_ptes_shared ${pick(rng, [0, 511])}`);
  return lines;
}

/** The threshold of reservations, where there are any: half of them low, so that promotions are many. */
function threshold(seed: number): string {
  const rng = makePrng(seed ^ 0x7e5);
  const pages = pick(rng, [1, 2, 3, 16, 17, 64, 255, 256, 400, 512]);
  return `set transparent_hugepage/promotion_threshold ${pages}`;
}

/** The script of a seed. */
export function soakScript(seed: number): string {
  const rng = makePrng(seed);
  const m: Making = { rng, regions: [], counter: { next: 0 } };
  const lines = [...settings(rng), threshold(seed)];
  for (let left = 1 + below(rng, 4); left > 0; left--) lines.push(map(m));
  for (let left = 6 + below(rng, 20); left > 0; left--) {
    const kind = below(rng, 10);
    if (kind < 7) lines.push(statement(m));
    else if (kind < 9) lines.push(...task(m));
    else lines.push(`repeat ${1 + below(rng, 3)} {`, "  " + statement(copyOf(m)), "}");
  }
  return lines.join("\n") + "\n";
}

/** The machine of a seed: with plenty of memory or short of it, with swap or without, whole or fragmented. */
export function soakMachine(seed: number): MachineSpec {
  const rng = makePrng(seed ^ 0x5eed);
  const nodes = 1 + below(rng, 2);
  return {
    nodes,
    cpus: 2,
    memBytes: pick(rng, [16, 24, 32, 128]) * MIB * nodes,
    geometry: LIFE,
    distances: evenDistances(nodes),
    swapBytes: pick(rng, [0, 8, 64]) * MIB,
    fragmentedRatio: pick(rng, [0, 0, 0.5]),
    seed: 1,
  };
}
