import { expect, test } from "vitest";
import { type Lock, makeLock, type Path, PREEMPT, sleepOp } from "../core/ops.ts";
import { actor } from "./actors.ts";
import { explorePlainly, exploreRace, stageRace } from "./check.ts";
import { digestOf } from "./digest.ts";
import { compareReduction } from "./reduction.ts";
import type { Race } from "./scenario.ts";
import { LIMITS } from "./search.ts";
import { advise, alone, read, scan, type World, type WorldOptions, write } from "./world.ts";

const FORM = { name: "linux-6.1", generation: "linux-6.1", expect: "holds" };

function race(world: WorldOptions, actors: Race["actors"], more: Partial<Race> = {}): Race {
  return { kind: "race", name: "a test's", entries: [], claim: "", world, actors, forms: [FORM], ...more };
}

/** What exploring a race of two toy paths finds; each path gets the world and two locks. */
function found(
  first: (w: World, a: Lock, b: Lock) => Path<unknown>,
  second: (w: World, a: Lock, b: Lock) => Path<unknown>,
  kinds: readonly ["page_table" | "mmap_lock", "page_table" | "mmap_lock"] = ["page_table", "page_table"],
): string | undefined {
  const a = makeLock(kinds[0], "lock A");
  const b = makeLock(kinds[1], "lock B");
  const actors = (w: World) => [
    actor("one", 0, () => first(w, a, b)),
    actor("two", 1, () => second(w, a, b)),
  ];
  return exploreRace(race({ picture: "...." }, actors), FORM).found?.what;
}

function* idle(): Path {}

const SMALL_RACES: readonly (readonly [name: string, race: Race])[] = [
  [
    "two first readers of one region",
    race({ picture: "....", tunables: { enabled: "never" } }, (w) => [
      actor("one", 0, () => read(w, 0)),
      actor("two", 2, () => read(w, 1)),
    ]),
  ],
  [
    "a scanner and a writer",
    race({ picture: "s..." }, (w) => [actor("one", 3, () => scan(w)), actor("two", 1, () => write(w, 0, 7))]),
  ],
  [
    "zapping and writing",
    race(
      { picture: "s..." },
      (w) => [actor("one", 3, () => advise(w, "dontneed")), actor("two", 1, () => write(w, 0, 7))],
      { mayVanish: true },
    ),
  ],
];

test.each(SMALL_RACES)("reduction reaches every final state: %s", (name, each) => {
  const { reduced, whole, reducedStates, wholeStates, differing } = compareReduction(each, FORM, LIMITS);
  expect([reduced.exhausted, whole.exhausted]).toEqual([true, true]);
  expect([reducedStates, differing]).toEqual([wholeStates, 0]);
  expect(reduced.schedules).toBeLessThan(whole.schedules / 5);
  process.stdout.write(`reduction of ${name}: ${whole.schedules} schedules to ${reduced.schedules}\n`);
});

test("two locks taken in opposite orders deadlock, and it is said who waits for whom", () => {
  const nested = (outer: "a" | "b") =>
    function* (_w: World, a: Lock, b: Lock): Path {
      const [first, second] = outer === "a" ? [a, b] : [b, a];
      yield first.acquire;
      yield second.acquire;
      yield second.release;
      yield first.release;
    };
  expect(found(nested("a"), nested("b"))).toBe(
    "a deadlock: one waits for lock B, held by two; two waits for lock A, held by one",
  );
});

test("locks taken in both orders by paths that never meet are a cycle all the same", () => {
  const both = function* (_w: World, a: Lock, b: Lock): Path {
    yield a.acquire;
    yield b.acquire;
    yield b.release;
    yield a.release;
    yield b.acquire;
    yield a.acquire;
    yield a.release;
    yield b.release;
  };
  expect(found(both, idle)).toBe(
    "locks are taken in both orders: lock A, then lock B, and the other way round",
  );
});

test("a lock taken twice, one released by a stranger, one kept: each is named", () => {
  const twice = function* (_w: World, a: Lock): Path {
    yield a.acquire;
    yield a.acquire;
  };
  const stranger = function* (_w: World, a: Lock): Path {
    yield a.release;
  };
  const kept = function* (_w: World, a: Lock): Path {
    yield a.acquire;
  };
  expect(found(twice, idle)).toBe("a lock is taken twice: one holds lock A already");
  expect(found(stranger, idle)).toBe("a lock is released by who does not hold it: one, lock A");
  expect(found(kept, idle)).toBe("a path ends with a lock held: one holds lock A");
});

test("sleeping under a spinlock, by a sleep or by a lock that sleeps, is a violation", () => {
  const sleeper = function* (_w: World, a: Lock): Path {
    yield a.acquire;
    yield sleepOp(1000);
    yield a.release;
  };
  const waiter = function* (_w: World, a: Lock, b: Lock): Path {
    yield a.acquire;
    yield b.acquireRead;
    yield b.releaseRead;
    yield a.release;
  };
  expect(found(sleeper, idle)).toBe("a path sleeps under a spinlock: one holds lock A at a sleep");
  expect(found(waiter, idle, ["page_table", "mmap_lock"])).toBe(
    "a path sleeps under a spinlock: one holds lock A at lock B",
  );
});

test("a path that goes round for ever is a livelock", () => {
  const rounds = function* (): Path {
    for (;;) yield PREEMPT;
  };
  expect(found(rounds, idle)).toMatch(/^a livelock: after 600 steps one could go on/);
});

test("a lost update is found, and the shortest story of it needs one preemption", () => {
  const addOne = function* (w: World): Path {
    const seen = w.memory.contents[0]!;
    yield PREEMPT;
    w.memory.contents[0] = seen + 1;
  };
  const counting = race(
    { picture: "...." },
    (w) => [actor("one", 0, () => addOne(w)), actor("two", 1, () => addOne(w))],
    { atEnd: (w) => (w.memory.contents[0] === 1 ? undefined : `the sum is ${w.memory.contents[0]}`) },
  );
  expect(exploreRace(counting, FORM).found?.what).toBe("the sum is 0");
  const bounded = (preemptionsMax: number) =>
    explorePlainly(counting, FORM, { ...LIMITS, preemptionsMax, shortest: true });
  expect(bounded(0).found).toBeUndefined();
  expect(bounded(1).found?.schedule).toEqual([0, 1, 1, 0]);
});

test("a search that hits its limit is not exhausted, and says how far it came", () => {
  const wide = race({ picture: "HHHH" }, (w) => [
    actor("one", 0, () => scan(w)),
    actor("two", 2, () => read(w, 0)),
    actor("three", 1, () => write(w, 1, 7)),
  ]);
  const outcome = exploreRace(wide, FORM, { ...LIMITS, schedulesMax: 10 });
  expect([outcome.exhausted, outcome.schedules, outcome.found]).toEqual([false, 10, undefined]);
  expect(outcome.seenRatio).toBeGreaterThan(0);
  expect(outcome.seenRatio).toBeLessThan(1);
});

test("every run starts from the same picture", () => {
  const stage = stageRace(
    race({ picture: "HHHH" }, (w) => [actor("one", 0, () => advise(w, "dontneed"))]),
    FORM,
    true,
  );
  const before = digestOf(stage.world);
  stage.runner.begin();
  while (stage.runner.enabled(0)) stage.runner.step(0);
  expect(digestOf(stage.world)).not.toBe(before);
  stage.restart();
  expect(digestOf(stage.world)).toBe(before);
});

test("a stale translation that is used after its frame was freed is a violation", () => {
  const unflushed = race({ picture: "s..." }, (w) => {
    alone(w, write(w, 0, 5));
    return [
      actor("forgetful", 1, function* () {
        const { witness } = w.k;
        w.k.witness = { ...witness!, flushed: () => undefined };
        yield* advise(w, "dontneed");
      }),
      actor("writer", 0, () => write(w, 0, 7)),
    ];
  });
  expect(exploreRace(unflushed, FORM).found?.what).toMatch(
    /^a stale translation is used: CPU 0 writes to frame/,
  );
});
