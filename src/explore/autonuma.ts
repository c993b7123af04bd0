/** AutoNUMA's part of scenarios: pages that wait for a node, a pass over the process, its exit. */
import type { Path } from "../core/ops.ts";
import { asNode } from "../core/units.ts";
import { nodeOfFrame } from "../kernel/buddy/state.ts";
import { frameAt } from "../kernel/mm/pin.ts";
import { headOf } from "../kernel/mm/rmap.ts";
import { enlist } from "../kernel/numa/autonuma/life.ts";
import { markRegion } from "../kernel/numa/autonuma/mark.ts";
import { autonuma } from "../kernel/numa/autonuma/of.ts";
import { enqueue, queuedTo as waitsFor } from "../kernel/numa/autonuma/queue.ts";
import { exchangeLast } from "../kernel/numa/early/last-nid.ts";
import { alone, rowOf, vpnOf, type World } from "./world.ts";

/** Set-up: the page waits for a node that used it once. */
export function queuedTo(w: World, page: number, node: number): void {
  const { k, mm } = w;
  const head = headOf(k, frameAt(k, mm, vpnOf(w, page)));
  exchangeLast(k, head, node);
  alone(w, enqueue(k, head, asNode(node), nodeOfFrame(k.buddy, head)));
}

/** The node that a page waits for, or −1. */
export function queueOf({ k, mm, start }: World, page: number): number {
  return waitsFor(autonuma(k), frameAt(k, mm, start + page));
}

/** knuma_scand marks the region of the area's first page, without the flush that ends a slice. */
export function* markAll(w: World): Path {
  const { k, mm } = w;
  yield* markRegion(k, enlist(k, mm), rowOf(w, 0), w.start, w.start + Math.min(w.pages, 4));
}
