/**
 * Beliefs about paths: what no path may do on its way, and what no order of paths may lead to. Whoever drives
 * paths asks the same questions: unit tests (`runAlone`), the engine under `--verify`, the explorer.
 *
 * Beliefs about the state between paths are in `invariants.ts`; together they are the one list.
 *
 * Models:       CONFIG_PROVE_LOCKING and CONFIG_DEBUG_ATOMIC_SLEEP of the kernel, in what they look for.
 * Not modelled: interrupts, so that no lock is ever taken in one.
 */
import type { Lock, Op } from "../core/ops.ts";

/** Who can see a belief broken: tests, --verify and the explorer; or the explorer, which knows contents. */
type SeenBy = "every driver" | "the explorer";

interface PathBelief {
  readonly belief: string;
  /** How the report of its breaking begins. */
  readonly broken: string;
  readonly seenBy: SeenBy;
}

/** Every belief about paths, by name. */
export const PATH_BELIEFS = {
  lockTwice: {
    belief: "no path takes a lock that it holds",
    broken: "a lock is taken twice",
    seenBy: "every driver",
  },
  lockKept: {
    belief: "a path that ends holds no lock",
    broken: "a path ends with a lock held",
    seenBy: "every driver",
  },
  lockOfAnother: {
    belief: "a lock is released by who holds it",
    broken: "a lock is released by who does not hold it",
    seenBy: "every driver",
  },
  sleepUnderSpinlock: {
    belief: "who holds a spinlock does not sleep",
    broken: "a path sleeps under a spinlock",
    seenBy: "every driver",
  },
  lockOrder: {
    belief: "no two locks are taken in both orders",
    broken: "locks are taken in both orders",
    seenBy: "the explorer",
  },
  deadlock: {
    belief: "paths do not wait for each other in a circle",
    broken: "a deadlock",
    seenBy: "the explorer",
  },
  livelock: { belief: "every path comes to its end", broken: "a livelock", seenBy: "the explorer" },
  lostWrite: {
    belief: "a page holds what program or device wrote last",
    broken: "a write is lost",
    seenBy: "the explorer",
  },
  staleUse: {
    belief: "no CPU uses a translation whose frame was freed",
    broken: "a stale translation is used",
    seenBy: "the explorer",
  },
  staleRead: {
    belief: "a read gives what was written last",
    broken: "a read is stale",
    seenBy: "the explorer",
  },
  staleTlb: {
    belief: "when nobody is under way no TLB knows more than the page tables",
    broken: "a TLB is left stale",
    seenBy: "the explorer",
  },
  freedUnderPin: {
    belief: "a frame that a device has pinned is not freed",
    broken: "a device writes to a freed frame",
    seenBy: "the explorer",
  },
} as const satisfies Readonly<Record<string, PathBelief>>;

/** The sentence of a belief that was broken. */
export function broken(name: keyof typeof PATH_BELIEFS, detail: string): string {
  return `${PATH_BELIEFS[name].broken}: ${detail}`;
}

/** Locks that a path holds, and how. */
export type HeldLocks = Map<Lock, "write" | "read">;

/** Locks whose holder may sleep; the others are spinlocks. */
const SLEEPING = new Set(["mmap_lock", "page", "anon_vma", "autonuma_mm"]);

/** What is wrong with sleeping at a place, if anything. */
export function wrongSleep(held: HeldLocks, who: string, where: string): string | undefined {
  for (const lock of held.keys())
    if (!SLEEPING.has(lock.lockClass))
      return broken("sleepUnderSpinlock", `${who} holds ${lock.name} at ${where}`);
  return undefined;
}

/** What is wrong with waiting for an op, if anything. */
export function wrongWait(held: HeldLocks, who: string, op: Op): string | undefined {
  const { lock } = op;
  if (op.kind === "sleep") return wrongSleep(held, who, "a sleep");
  if (lock === undefined || (op.kind !== "acquire" && op.kind !== "acquire-read")) return undefined;
  if (held.has(lock)) return broken("lockTwice", `${who} holds ${lock.name} already`);
  return op.tried !== true && SLEEPING.has(lock.lockClass) ? wrongSleep(held, who, lock.name) : undefined;
}

/** What is wrong with a release, if anything. */
export function wrongRelease(held: HeldLocks, who: string, op: Op): string | undefined {
  const mode = op.kind === "release" ? "write" : "read";
  return held.get(op.lock!) === mode ? undefined : broken("lockOfAnother", `${who}, ${op.lock!.name}`);
}

/** What is wrong with a path's end, if anything. */
export function wrongEnd(held: HeldLocks, who: string): string | undefined {
  if (held.size === 0) return undefined;
  return broken("lockKept", `${who} holds ${[...held.keys()].map((lock) => lock.name).join(", ")}`);
}

/**
 * Follows a path op by op, for drivers that keep no books of their own: what is wrong with the op, if
 * anything.
 */
export function follow(held: HeldLocks, who: string, op: Op): string | undefined {
  if (op.kind === "release" || op.kind === "release-read") {
    const wrong = wrongRelease(held, who, op);
    held.delete(op.lock!);
    return wrong;
  }
  const wrong = wrongWait(held, who, op);
  if (op.kind === "acquire") held.set(op.lock!, "write");
  if (op.kind === "acquire-read") held.set(op.lock!, "read");
  return wrong;
}
