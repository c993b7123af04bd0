import { describe, expect, test } from "vitest";
import type { Body } from "../workloads/generators/program.ts";
import { makeBarrier } from "../workloads/generators/program.ts";
import {
  advise,
  fork,
  inherit,
  join,
  map,
  READ_PAGE,
  share,
  startThread,
  sweep,
  team,
  unmap,
  ZERO_PAGE,
} from "../workloads/generators/touch.ts";
import type { NamedWorkload } from "../workloads/generators/workload.ts";
import { type SimulateOptions, simulate } from "./simulation.ts";

const MIB = 2 ** 20;

/** A workload of one program. */
function of(main: Body): NamedWorkload {
  const machine = { nodes: 2, cpus: 4, memBytes: 2 ** 30, hugeBytes: undefined };
  const about = { name: "test", summary: "", standsFor: "", source: "" };
  return {
    kind: "named",
    name: "test",
    values: {},
    spec: { ...about, machine, params: {}, main: () => main },
  };
}

function run(main: Body, options: SimulateOptions = {}) {
  return simulate(of(main), { settings: { thp: "never" }, verify: true, ...options }).result;
}

describe("a program", () => {
  test("gets the memory that it maps, and gives it back", () => {
    let address = 0;
    const { vmstat, touchedPeakKb } = run(function* (self) {
      const buffer = yield* map(self, 3 * MIB);
      address = buffer!.start;
      yield* sweep(self, buffer!, ZERO_PAGE);
      yield advise(buffer!, "dontneed");
      yield* sweep(self, buffer!, ZERO_PAGE, 0, 256);
      yield unmap(buffer!);
    });
    expect(address % 4096).toBe(0);
    expect(vmstat.pgfault).toBe(768 + 256);
    expect(touchedPeakKb).toBe(3072);
  });

  test("has its memory where its policy says, wherever it runs, and by default where it runs", () => {
    const { numa } = run(function* (self) {
      const buffer = yield* map(self, 2 * MIB);
      yield { kind: "bind", affinity: { node: 0 } };
      yield { kind: "mempolicy", node: 1 };
      yield* sweep(self, buffer!, ZERO_PAGE, 0, 100);
      yield { kind: "mempolicy", node: undefined };
      yield* sweep(self, buffer!, ZERO_PAGE, 100, 400);
    });
    expect(numa!.remoteLines).toBe(100 * 64);
    expect(numa!.localLines).toBe(300 * 64);
  });

  test("is told when the kernel refuses a mapping", () => {
    const answers: number[] = [];
    run(function* (self) {
      expect(yield* map(self, 2 ** 40)).toBeUndefined();
      answers.push(self.result);
    });
    expect(answers).toEqual([-12]);
  });

  test("knows the time, and can go on until a moment", () => {
    const { runNs } = run(function* (self) {
      const buffer = yield* map(self, MIB);
      for (;;) if (!(yield* sweep(self, buffer!, READ_PAGE, 0, 256, 5_000_000))) return;
    });
    expect(runNs).toBeGreaterThan(5_000_000);
    expect(runNs).toBeLessThan(6_000_000);
  });
});

describe("threads", () => {
  test("share their process's memory, and run at the same time on CPUs of their own", () => {
    const alone = run(function* (self) {
      yield { kind: "compute", ns: 40_000_000 };
      yield* map(self, MIB);
    });
    const both = run(function* (self) {
      const buffer = yield* map(self, MIB);
      yield* team(
        self,
        4,
        "any",
        (i) =>
          function* (thread) {
            const { from, to } = share(buffer!, i, 4);
            yield* sweep(thread, buffer!, ZERO_PAGE, from, to);
            yield { kind: "compute", ns: 40_000_000 };
          },
      );
    });
    expect(both.processes.length).toBe(1);
    expect(both.vmstat.pgfault).toBe(256);
    expect(both.runNs).toBeLessThan(alone.runNs * 1.1);
  });

  test("that are more than CPUs take turns", () => {
    const { runNs } = run(function* (self) {
      yield* team(
        self,
        3,
        { cpu: 1 },
        () =>
          function* () {
            yield { kind: "compute", ns: 20_000_000 };
          },
      );
    });
    expect(runNs).toBeGreaterThan(60_000_000);
  });

  test("wait for each other at a barrier, in every round", () => {
    const order: string[] = [];
    const barrier = makeBarrier(2);
    run(function* (self) {
      yield* team(
        self,
        2,
        "any",
        (i) =>
          function* () {
            for (let round = 0; round < 3; round++) {
              yield { kind: "compute", ns: i === 0 ? 100_000 : 3_000_000 };
              order.push(`${round}`);
              yield { kind: "barrier", barrier };
            }
          },
      );
    });
    expect(order.join("")).toBe("001122");
    expect(barrier.rounds).toBe(3);
  });
});

describe("processes", () => {
  test("have copies of their parent's memory, and addresses that mean the same", () => {
    const { vmstat, processes } = run(function* (self) {
      const buffer = yield* map(self, MIB);
      yield* sweep(self, buffer!, ZERO_PAGE);
      const child = yield* fork(self, "child", "any", function* (mine) {
        const inherited = inherit(mine, buffer!);
        yield* sweep(mine, inherited, ZERO_PAGE, 0, 64);
      });
      yield join(child);
    });
    expect(processes.map(({ name }) => name).sort()).toEqual(["child", "test"]);
    expect(vmstat.pgfault).toBe(256 + 64);
  });

  test("end on their own: nobody has to wait for them", () => {
    const { outcome, processes } = run(function* (self) {
      yield* fork(self, "orphan", "any", function* () {
        yield { kind: "sleep", ns: 1_000_000 };
      });
      yield* startThread(self, "thread", "any", function* () {
        yield { kind: "compute", ns: 2_000_000 };
      });
    });
    expect(outcome).toBe("finished");
    expect(processes.length).toBe(2);
  });
});

test("the same workload and seed give the same bytes; another seed draws other nodes", async () => {
  const { workloadByName } = await import("../workloads/generators/index.ts");
  const result = (seed: number) =>
    JSON.stringify(simulate(workloadByName("numa01,size=2M,rounds=2"), { machine: { seed } }).result);
  expect(result(1)).toBe(result(1));
  expect(result(2)).not.toBe(result(1));
});
