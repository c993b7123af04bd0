/**
 * The page lock: who moves, splits or writes a page holds it; who needs the result waits for it.
 *
 *     FRAME.LOCKED says that somebody has it ─▶ trylock: a plain look at the flag
 *     whoever waits or holds shares one engine lock, bound to the page for as long as somebody needs it
 *
 * Models:       include/linux/pagemap.h trylock_page(), mm/filemap.c unlock_page(),
 *               put_and_wait_on_page_locked(), v6.1.
 * Not modelled: exclusive waiters (nobody queues for the lock itself: they wait, and look again).
 */
import { type Lock, makeLock, type Path } from "../../core/ops.ts";
import type { Pfn } from "../../core/units.ts";
import { assert } from "../../lib/assert.ts";
import type { Kernel } from "../state.ts";
import { FRAME } from "./frames.ts";

interface BoundLock {
  readonly lock: Lock;
  /** Paths that hold it, wait for it, or are about to. */
  users: number;
}

export interface PageLocks {
  /** Every lock that was ever made: for reports. */
  readonly all: Lock[];
  readonly spare: Lock[];
  /** Locks of pages, by head frame. */
  readonly bound: Map<number, BoundLock>;
}

export function makePageLocks(): PageLocks {
  return { all: [], spare: [], bound: new Map() };
}

function makePageLock({ all }: PageLocks): Lock {
  const lock = makeLock("page", `page lock ${all.length}`);
  all.push(lock);
  return lock;
}

function bind({ locks: { pages } }: Kernel, head: Pfn): Lock {
  let bound = pages.bound.get(head);
  if (bound === undefined) {
    bound = { lock: pages.spare.pop() ?? makePageLock(pages), users: 0 };
    pages.bound.set(head, bound);
  }
  bound.users++;
  return bound.lock;
}

function unbind({ locks: { pages } }: Kernel, head: Pfn): void {
  const bound = pages.bound.get(head)!;
  if (--bound.users > 0) return;
  pages.bound.delete(head);
  pages.spare.push(bound.lock);
}

export function isPageLocked(k: Kernel, head: Pfn): boolean {
  return (k.frames.flags[head]! & FRAME.LOCKED) !== 0;
}

/** Takes the page lock if nobody has it. */
export function* tryLockPage(k: Kernel, head: Pfn): Path<boolean> {
  if (isPageLocked(k, head)) return false;
  k.frames.flags[head]! |= FRAME.LOCKED;
  yield bind(k, head).acquireTried;
  return true;
}

export function* unlockPage(k: Kernel, head: Pfn): Path {
  assert(isPageLocked(k, head), "a page that is unlocked was locked");
  k.frames.flags[head]! &= ~FRAME.LOCKED;
  yield k.locks.pages.bound.get(head)!.lock.release;
  unbind(k, head);
}

/** Waits until whoever has the page lock lets it go. The caller holds no spinning lock. */
export function* waitForPage(k: Kernel, head: Pfn): Path {
  const lock = bind(k, head);
  yield lock.acquireRead;
  yield lock.releaseRead;
  unbind(k, head);
}
