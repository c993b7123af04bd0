/**
 * The beliefs about reservations of huge pages.
 *
 * Models:       nothing of the kernel: what must be true of any of its states.
 * Not modelled: the posted code's lost count after two CPUs fault on one page, which breaks the first belief
 *               as it did there.
 */
import { C } from "../core/counters.ts";
import { PMD, PTE } from "./mm/page-table.ts";
import { headOfBlock, regionOf, reservedBlock } from "./reservation/look.ts";
import type { Kernel } from "./state.ts";

export const RESERVED_BELIEF = "nr_thp_reserved is the unused pages of live reservations";

export const RESERVATION_BELIEFS = [
  { belief: RESERVED_BELIEF, check: wrongReserved },
  {
    belief: "a region and its reserved block know each other, and the block is on its node's list",
    check: wrongLinks,
  },
  { belief: "of a reservation exactly the used pages are mapped, each at its own offset", check: wrongUse },
] as const;

function liveBlocks(k: Kernel): number[] {
  const live: number[] = [];
  if (k.reservations.live === 0) return live;
  k.reservations.blocks.region.forEach((region, block) => {
    if (region > 0) live.push(block);
  });
  return live;
}

function wrongReserved(k: Kernel): string | undefined {
  let unused = 0;
  for (const block of liveBlocks(k)) unused += k.reservations.blocks.unused[block]!;
  const counted = k.vmstat[C.nr_thp_reserved]!;
  if (counted !== unused) return `nr_thp_reserved is ${counted}, live reservations have ${unused}`;
  const nodes = k.reservations.nodes.reduce((sum, node) => sum + node.reservedPages, 0);
  return nodes === counted ? undefined : `nr_thp_reserved is ${counted}, its nodes have ${nodes}`;
}

function wrongLinks(k: Kernel): string | undefined {
  const live = liveBlocks(k);
  if (live.length !== k.reservations.live)
    return `${k.reservations.live} live reservations are ${live.length}`;
  for (const block of live) {
    const row = regionOf(k, block);
    if (reservedBlock(k, row) !== block) return `PMD row ${row} does not know its reserved block ${block}`;
    if (k.pt.pmd.kind[row] !== PMD.TABLE) return `the reserved region of PMD row ${row} has no table`;
  }
  let listed = 0;
  for (const { first, length } of k.reservations.nodes) {
    let found = 0;
    for (let block = first; block >= 0; block = k.reservations.blocks.next[block]!) {
      if (k.reservations.blocks.region[block] === 0) return `block ${block} is listed and not reserved`;
      if (++found > length) return "a list of reservations is longer than it says";
    }
    listed += found;
  }
  return listed === live.length ? undefined : `${listed} reservations are on lists, ${live.length} exist`;
}

function wrongUse(k: Kernel): string | undefined {
  const n = k.geometry.pagesPerHuge;
  for (const block of liveBlocks(k)) {
    const from = k.pt.pmd.value[regionOf(k, block)]! * n;
    let used = 0;
    for (let i = 0; i < n; i++) {
      const flags = k.pt.pteFlags[from + i]!;
      const own = (flags & PTE.PRESENT) !== 0 && (flags & (PTE.ZERO | PTE.FILE)) === 0;
      if (own && k.pt.ptePfn[from + i] === headOfBlock(k, block) + i) used++;
    }
    const counted = n - k.reservations.blocks.unused[block]!;
    if (used !== counted) return `block ${block} counts ${counted} used pages, ${used} are mapped`;
  }
  return undefined;
}
