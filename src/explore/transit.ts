/**
 * The window of a migration: from the hint fault's first look, which lets go of the lock, to the page's new
 * place. Who uses the old page in it is seen by a fault of its own, or not at all.
 *
 *     hint fault   lock ▸ look ▸ unlock ┊ isolate ▸ unmap, flush ▸ copy ┊ new entry
 *     the others                        ┊◀────────── window ───────────▶┊
 */
import type { Path } from "../core/ops.ts";
import { PMD, PTE } from "../kernel/mm/page-table.ts";
import { frameAt } from "../kernel/mm/pin.ts";
import { rowOf, vpnOf, type World } from "./world.ts";

/** A hint fault under way, told apart by the page that it found. */
export interface Transit {
  /** The huge page's frame while the fault has let go of its lock and has not moved it; else -1. */
  frame: number;
}

/** True if the region's PMD lets a program write to that frame. */
function isOpen(w: World, page: number, frame: number): boolean {
  const { pmd } = w.k.pt;
  const row = rowOf(w, page);
  const flags = pmd.flags[row]!;
  const usable = (flags & (PTE.PRESENT | PTE.HINT)) === PTE.PRESENT && (flags & PTE.WRITE) !== 0;
  return pmd.kind[row] === PMD.HUGE && pmd.value[row] === frame && usable;
}

/** Runs a hint fault on a page and keeps its window. */
export function* keepTransit<T>(w: World, page: number, transit: Transit, path: Path<T>): Path<T> {
  const frame = frameAt(w.k, w.mm, vpnOf(w, page));
  for (;;) {
    const { done, value } = path.next();
    if (done === true) {
      transit.frame = -1;
      return value;
    }
    const here = frameAt(w.k, w.mm, vpnOf(w, page)) === frame;
    if (!here) transit.frame = -1;
    else if (value.kind === "release" && value.lock!.lockClass === "page_table") transit.frame = frame;
    yield value;
  }
}

/** Runs a hint fault; returns the steps after which the page that it moves could still be written. */
export function* countOpen(w: World, page: number, path: Path<unknown>): Path<number> {
  const frame = frameAt(w.k, w.mm, vpnOf(w, page));
  let open = 0;
  for (;;) {
    const { done, value } = path.next();
    if (done === true) return open;
    if (isOpen(w, page, frame)) open++;
    yield value;
  }
}
