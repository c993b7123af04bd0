/**
 * The pieces that every hint fault of 2012 is made of: is the entry still the hint, take the hint away,
 * count, and whether one node came twice.
 *
 * Models:       mm/memory.c do_numa_page(), numa_migrate_prep(); mm/mempolicy.c mpol_misplaced(), v3.8; the
 *               same parts of numa/core and AutoNUMA.
 * Not modelled: memory policies other than the default. numa_hint_faults did not exist before 3.8: AutoNUMA
 *               and numa/core count them here for comparison, as the patch for their published tables did.
 */
import { C } from "../../../core/counters.ts";
import type { Path } from "../../../core/ops.ts";
import { asPfn, asVpn, NO_NODE, type NodeId, type Pfn, type PmdRow } from "../../../core/units.ts";
import { nodeOfFrame } from "../../buddy/state.ts";
import { hintedFrame, hintedHead } from "../../fault/hinted.ts";
import { hasMemoryPolicy, localNode } from "../../fault/node.ts";
import { pageTableLock } from "../../locks.ts";
import { movingPage, waitForMove } from "../../migration/entries.ts";
import { PMD, PTE, pteIndex } from "../../mm/page-table.ts";
import type { Kernel } from "../../state.ts";
import { exchangeLast } from "./last-nid.ts";

/**
 * Takes the page-table lock of a row if the entry (a PTE, or the huge PMD for −1) is still a hint: the page,
 * with the lock held. Else −1, without it: the fault starts again, after a page that was on its way has come.
 */
export function* lockHinted(k: Kernel, row: PmdRow, vpn: number): Path<Pfn> {
  const lock = pageTableLock(k, row);
  yield lock.acquire;
  const moving = isMoving(k, row, vpn);
  const pfn = moving >= 0 ? asPfn(-1) : vpn < 0 ? hintedHead(k, row) : hintedFrame(k, row, asVpn(vpn));
  if (pfn >= 0) return pfn;
  yield lock.release;
  if (moving >= 0) yield* waitForMove(k, moving);
  return pfn;
}

/** The page that is on its way under this entry, or −1. Under the lock. */
export function isMoving(k: Kernel, row: PmdRow, vpn: number): Pfn {
  const small = k.pt.pmd.kind[row] === PMD.TABLE;
  if (small === vpn < 0) return asPfn(-1);
  return movingPage(k, row, small ? pteIndex(k.pt, row, asVpn(vpn)) : -1);
}

/** A PTE is accessible again. `lost`: flags that go with the hint. */
export function unmarkPte(k: Kernel, pte: number, lost = 0): void {
  k.pt.pteFlags[pte] = (k.pt.pteFlags[pte]! & ~(PTE.HINT | lost)) | PTE.YOUNG;
}

/** A huge PMD is accessible again. */
export function unmarkPmd(k: Kernel, row: PmdRow, lost = 0): void {
  k.pt.pmd.flags[row] = (k.pt.pmd.flags[row]! & ~(PTE.HINT | lost)) | PTE.YOUNG;
}

/** Counts a hint fault on a page; its node. */
export function countHint(k: Kernel, head: Pfn): NodeId {
  const node = nodeOfFrame(k.buddy, head);
  k.vmstat[C.numa_hint_faults]! += 1;
  if (node === localNode(k)) k.vmstat[C.numa_hint_faults_local]! += 1;
  return node;
}

/**
 * The node that a page should go to, or NO_NODE: this one, if the page is elsewhere and its last fault came
 * from here as well. The first fault of all never moves a page, and a task with a policy of its own none.
 */
export function misplacedTwice(k: Kernel, head: Pfn): NodeId {
  if (hasMemoryPolicy(k)) return NO_NODE;
  const here = localNode(k);
  if (exchangeLast(k, head, here) !== here) return NO_NODE;
  return nodeOfFrame(k.buddy, head) === here ? NO_NODE : here;
}
