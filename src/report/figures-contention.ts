/** The figures of CPUs that hold each other up: waiting for locks by class, and the time of shootdowns. */
import type { Result } from "../metrics/result.ts";
import type { Figure } from "./figures.ts";

/** Differences below that are noise. */
const LEAST_NS = 1000;

const SHOOTDOWN_TIME: Figure = {
  key: "shootdown_time",
  label: "shootdowns, time of both sides",
  doc: "Time of those who sent interrupts and waited, and of the CPUs that were interrupted.",
  kind: "ns",
  better: "lower",
  least: LEAST_NS,
  read: (r) => r.shootdowns.senderNs + r.shootdowns.interruptedNs,
  rare: true,
};

const LOCK_WORDS = [
  ["mmap_lock", "an address space"],
  ["page_table", "a page table"],
  ["page", "a page (its content, or its move)"],
  ["lru", "the lists of pages by age"],
  ["zone", "free memory of a zone"],
] as const;

const lockOf = (r: Result, name: string) => r.locks.find(({ lockClass }) => lockClass === name);

const LOCKS: readonly Figure[] = LOCK_WORDS.flatMap(([name, guarded]): Figure[] => [
  {
    key: `${name}_waits`,
    label: `${name}: had to wait`,
    doc: `How often somebody waited for the lock of ${guarded}.`,
    kind: "count",
    better: "lower",
    read: (r) => lockOf(r, name)?.waits ?? 0,
    rare: true,
  },
  {
    key: `${name}_wait`,
    label: `${name}: time in all`,
    doc: `For how long they waited for the lock of ${guarded}.`,
    kind: "ns",
    better: "lower",
    least: LEAST_NS,
    read: (r) => lockOf(r, name)?.waitTotalNs ?? 0,
    rare: true,
  },
  {
    key: `${name}_wait_longest`,
    label: `${name}: longest`,
    doc: `The longest wait for the lock of ${guarded}.`,
    kind: "ns",
    better: "lower",
    least: LEAST_NS,
    read: (r) => lockOf(r, name)?.waitMaxNs ?? 0,
    rare: true,
  },
]);

export const CONTENTION: readonly Figure[] = [...LOCKS, SHOOTDOWN_TIME];
