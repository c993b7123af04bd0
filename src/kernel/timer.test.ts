import { expect, test } from "vitest";
import { MS_NS } from "../core/units.ts";
import { wheelSleepNs } from "./timer.ts";

/** Sleeps in jiffies of 4 ms, from a time in jiffies. */
const jiffies = (ms: number, from = 0) => wheelSleepNs(from * 4 * MS_NS, ms) / (4 * MS_NS);

test("a timer never fires early: it ends one jiffy after those asked for", () => {
  expect([jiffies(4), jiffies(5), jiffies(248)]).toEqual([2, 3, 63]);
});

test("from 252 ms on it is rounded up to 8 jiffies, from 2 s on to 64, from 16 s on to 512", () => {
  expect([jiffies(252), jiffies(1000), jiffies(2016), jiffies(10_000), jiffies(60_000)]).toEqual([
    64, 256, 512, 2560, 15_360,
  ]);
});

test("how long it sleeps depends on where in the wheel it begins", () => {
  expect([jiffies(10_000, 1), jiffies(10_000, 59), jiffies(10_000, 63)]).toEqual([2559, 2501, 2561]);
});

test("an hour and a day are still rounded up", () => {
  for (const ms of [3_600_000, 86_400_000]) expect(jiffies(ms) * 4).toBeGreaterThan(ms);
});
