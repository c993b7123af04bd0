/** Small worlds with reservations, for the tests of their generations. */
import { expect } from "vitest";
import { C, type CounterName } from "../../core/counters.ts";
import { freeMemory } from "../../kernel/buddy/figures.ts";
import { forkMm } from "../../kernel/mm/fork.ts";
import { exitMm } from "../../kernel/mm/munmap.ts";
import { lruDrainAll } from "../../kernel/reclaim/lru.ts";
import { finish, seenBy, sound, type World, world } from "../../kernel/testing/picture.ts";
import type { Tunables } from "../../kernel/tunables.ts";
import type { Generation } from "../generation.ts";
import { LINUX_6_1_RESERVATIONS } from "../linux-6.1-reservations.ts";
import { THP_RESERVATIONS_POSTED } from "../thp-reservations-posted.ts";
import { THP_RESERVATIONS_REVIEWED } from "../thp-reservations-reviewed.ts";

export const POSTED = THP_RESERVATIONS_POSTED;
export const REVIEWED = THP_RESERVATIONS_REVIEWED;
export const ALL = [POSTED, REVIEWED, LINUX_6_1_RESERVATIONS];
export const DESIGNS = [POSTED, REVIEWED];

type Of = Parameters<typeof world>[1] & { readonly threshold?: number };

/** A world with that threshold (of 4 pages), and what was free before its process came. */
export function reserving({ behaviours }: Generation, text: string, of: Of = {}): World {
  const tunables: Partial<Tunables> = { promotionThreshold: of.threshold ?? 3, ...of.tunables };
  return world(text, { behaviours, ...of, tunables });
}

export function reserved({ k }: World): number {
  return k.vmstat[C.nr_thp_reserved]!;
}

export function count({ k }: World, name: CounterName): number {
  return k.vmstat[C[name]]!;
}

export function fork(w: World): World {
  return seenBy(w, finish(w, forkMm(w.k, w.mm)));
}

export function exit(w: World): void {
  w.mm.users = 0;
  finish(w, exitMm(w.k, w.mm));
}

/** Everybody leaves: nothing is reserved, and every page is free again. */
export function balanced(w: World, ...others: World[]): void {
  for (const each of [w, ...others]) exit(each);
  lruDrainAll(w.k);
  sound(w);
  expect([reserved(w), w.k.reservations.live]).toEqual([0, 0]);
  const { freePages, perCpuPages, managedPages } = freeMemory(w.k);
  expect(freePages + perCpuPages).toBe(managedPages);
}
