/**
 * What a kernel path says when it yields. A path is a generator that yields only where another CPU may run:
 * taking or releasing a lock, sleeping, sending an interrupt, a preemption point before a lockless re-check.
 * The engine answers with simulated time, the explorer with every possible choice. Paths never depend on
 * which.
 *
 * The words after `yield` are the lock's own preallocated ops, so that a line is a sentence and allocates
 * nothing.
 */

export type OpKind =
  /** Take the lock for itself alone. */
  | "acquire"
  /** Take a reader–writer lock for reading. */
  | "acquire-read"
  | "release"
  | "release-read"
  /** Sleep: `waitNs` of the op's CPU time is not used. */
  | "sleep"
  /**
   * Run another path to its end, then go on: for tasks, so that what runs deep inside is resumed directly.
   */
  | "call"
  /** Wait until somebody wakes the runner: for tasks that join others; kernel paths do not. */
  | "wait"
  /** Another CPU may run here: before a lockless re-read. */
  | "preempt"
  /**
   * An interrupt was sent to other CPUs; the shootdown itself has been done by the plain function that
   * returned it.
   */
  | "interrupt"
  /** Nothing happened that another CPU could see: drivers go on at once. */
  | "nothing";

export interface Op {
  readonly kind: OpKind;
  /** The lock of the lock ops. */
  readonly lock?: Lock;
  /** A trylock that has succeeded: whoever takes the lock by it does not sleep. */
  readonly tried?: true;
  /** Nanoseconds of a sleep. */
  readonly waitNs?: number;
  /** The path of a call. */
  readonly path?: Path<unknown>;
}

/** Classes of locks, as contention is reported by them. */
export type LockClass =
  | "mmap_lock"
  | "page_table"
  | "page"
  | "lru"
  | "zone"
  | "anon_vma"
  | "khugepaged_mm"
  | "deferred_split"
  | "autonuma_mm"
  | "autonuma_queue"
  | "compound";

/** A kernel path: yields ops, gets nothing back, returns what it decided. */
export type Path<T = void> = Generator<Op, T, void>;

/** A lock that tasks wait for. Its state belongs to whoever drives the paths; `state` is theirs alone. */
export interface Lock {
  readonly lockClass: LockClass;
  readonly name: string;
  readonly acquire: Op;
  /** After a trylock that succeeded. */
  readonly acquireTried: Op;
  readonly release: Op;
  readonly acquireRead: Op;
  readonly releaseRead: Op;
  /** Path that holds it for itself alone (a driver's number), or -1. Paths may read it for a trylock. */
  holder: number;
  /** How many paths hold it for reading. Paths may read it for a trylock. */
  readers: number;
  /** Contention, for reports: kept by the driver. */
  readonly stats: LockStats;
  /** Waiters in order of arrival: kept by the driver. */
  readonly waiters: LockWaiter[];
}

export interface LockStats {
  acquisitions: number;
  waits: number;
  waitTotalNs: number;
  waitMaxNs: number;
}

export interface LockWaiter {
  readonly runner: number;
  readonly forReading: boolean;
  readonly sinceNs: number;
}

/** Makes a lock with its ops. */
export function makeLock(lockClass: LockClass, name: string): Lock {
  const lock = {
    lockClass,
    name,
    holder: -1,
    readers: 0,
    stats: { acquisitions: 0, waits: 0, waitTotalNs: 0, waitMaxNs: 0 },
    waiters: [],
  } as unknown as { -readonly [K in keyof Lock]: Lock[K] };
  lock.acquire = { kind: "acquire", lock };
  lock.acquireTried = { kind: "acquire", lock, tried: true };
  lock.release = { kind: "release", lock };
  lock.acquireRead = { kind: "acquire-read", lock };
  lock.releaseRead = { kind: "release-read", lock };
  return lock;
}

/** Another CPU may run here. */
export const PREEMPT: Op = { kind: "preempt" };
/** Wait to be woken. */
export const WAIT: Op = { kind: "wait" };
/** An interrupt round was sent. */
export const INTERRUPT: Op = { kind: "interrupt" };
/** A shootdown that had nobody to interrupt. */
export const NOTHING: Op = { kind: "nothing" };

/** Sleep for that long. For daemons; allocates, so never in a fault path. */
export function sleepOp(waitNs: number): Op {
  return { kind: "sleep", waitNs };
}

/** True while nobody holds the lock for itself alone: a read trylock would succeed. */
export function canRead(lock: Lock): boolean {
  return lock.holder === -1 && lock.waiters.length === 0;
}
