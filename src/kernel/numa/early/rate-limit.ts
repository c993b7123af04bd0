/**
 * How much may move to a node in a tenth of a second: optimal placement is no good if the memory bus is busy
 * with migration.
 *
 *     window open ─▶ budget left? ─▶ charge, go        window over ─▶ a new one from now on
 *                        └─ no ─▶ refuse                (charged even if the migration then fails)
 *
 * Models:       mm/migrate.c numamigrate_update_ratelimit(), migrate_ratelimited(), v3.8; AutoNUMA 28's
 *               autonuma_migrate_rate limit.
 * Not modelled: the window's spinlock: the check is one step.
 */
import { MS_NS, type NodeId, PAGE_BYTES } from "../../../core/units.ts";
import type { Kernel } from "../../state.ts";
import { early } from "./state.ts";

/** Of a node: until when the window lasts, and what it has let through. */
export interface RateWindow {
  untilNs: number;
  pages: number;
}

/** 100 ms and 128 MiB, in both designs. */
export const WINDOW_NS = 100 * MS_NS;
export const WINDOW_PAGES = (128 * 2 ** 20) / PAGE_BYTES;

/** What a window lets through, in pages of this machine. */
export function windowPages(k: Kernel): number {
  return WINDOW_PAGES / (k.machine.scale ?? 1);
}
/** For so long after a full window its node's tasks do not scan. */
const SCAN_PAUSE_NS = 1000 * MS_NS;

/**
 * Asks to move that many pages to a node: false if its window is full. `fullAt` is the count that is full:
 * 3.8 refuses above 128 MiB, AutoNUMA from there on.
 */
export function chargeWindow(
  k: Kernel,
  node: NodeId,
  pages: number,
  fullAt: number,
  windowNs = WINDOW_NS,
): boolean {
  const open = early(k).windows[node]!;
  if (k.nowNs > open.untilNs) {
    open.pages = 0;
    open.untilNs = k.nowNs + windowNs;
  }
  if (open.pages >= fullAt) return false;
  open.pages += pages;
  return true;
}

/** 3.8: so much has just moved here that finding more is of no use. */
export function isRateLimited(k: Kernel, node: NodeId): boolean {
  const open = early(k).windows[node]!;
  return k.nowNs <= open.untilNs + SCAN_PAUSE_NS && open.pages >= windowPages(k);
}
