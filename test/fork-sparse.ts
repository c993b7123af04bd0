/** The arithmetic of the headline experiment, and its machine at a 64th. */

import { MIB } from "../src/core/units.ts";
import type { MachineChoice } from "../src/engine/simulation.ts";
import { makePrng } from "../src/lib/prng.ts";
import { LAWS } from "../src/workloads/generators/fork-sparse.ts";

const GIB_MIB = 1024;
/** What counts as free before the first child, swap included. */
const FREE_MIB = 256.5 * GIB_MIB;
const CHILD_MIB = 16 * GIB_MIB;
/** Regions of a child; what it uses besides, with its table for each region. */
const REGIONS = CHILD_MIB / 2;
const OWN_MIB = 1.2;

/** Probability that a child touches n pages of a region. */
function probabilities(law: string): number[] {
  const p = new Array<number>(513).fill(0);
  const even = (upTo: number, share: number): void => {
    for (let n = 1; n <= upTo; n++) p[n]! += share / upTo;
  };
  if (law === "one-or-256") {
    even(1, 0.5);
    even(256, 0.5);
  } else if (law === "one-or-512") {
    even(1, 0.75);
    even(512, 0.25);
  } else even(Number(/\d+$/.exec(law)![0]), 1);
  return p;
}

/** The child whose map fails if every region with that many pages touched becomes huge at once. */
export function expectedFailingChild(law: string, threshold: number): number {
  const pages = probabilities(law).reduce((sum, p, n) => sum + p * (n < threshold ? n : 512), 0);
  const childMib = (REGIONS * (pages + 1) * 4) / 1024 + OWN_MIB;
  return 1 + Math.ceil((FREE_MIB - CHILD_MIB) / childMib);
}

/**
 * The same for the very numbers that the children of a seed draw, at a 1/`scale` of the size: what chance
 * adds to so few regions is out of the comparison.
 */
export function drawnFailingChild(law: string, threshold: number, seed: number, scale: number): number {
  const { draw } = LAWS[law]!;
  const regions = REGIONS / scale;
  let freeMib = FREE_MIB / scale;
  for (let child = 1; ; child++) {
    if (freeMib <= CHILD_MIB / scale) return child;
    // Program and task number give a task its random numbers; the parent is task 0.
    const random = makePrng(seed * 2 ** 20 + child);
    let pages = regions;
    for (let i = 0; i < regions; i++) {
      const touched = draw(random);
      pages += touched < threshold ? touched : 512;
    }
    freeMib -= (pages * 4) / 1024 + OWN_MIB / scale;
  }
}

/** The experiment with everything a 64th, on a machine that has a 64th of 256.5 GiB free at first. */
export function sixtyFourth(seed: number): { readonly name: string; readonly machine: MachineChoice } {
  return {
    name: "fork-sparse,size=256M,own=19K",
    machine: { nodes: 1, cpus: 2, memBytes: 4096 * MIB, swapBytes: 335_192_064, seed },
  };
}
