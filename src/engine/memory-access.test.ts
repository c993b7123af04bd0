import { expect, test } from "vitest";
import { hardwareByName } from "../hardware/index.ts";
import { parseScript } from "../workloads/script/parse.ts";
import { simulate } from "./simulation.ts";

const { costs } = hardwareByName("zen4")!;
const EXTRA_NS = (costs.remoteLatencyPs - costs.lineLatencyPs) / 1000;

/** CPU 0 writes 8 MiB on its node; then `reader` goes over it three times. */
function run(reader: number, thp: string) {
  const script = `machine nodes=2 cpus=2 mem=1G
cpu 0
map buf 8M align 2M
write buf
thread t {
cpu ${reader}
repeat 3 {
read buf
}
}
join t
`;
  const settings = { thp, "kernel.numa_balancing": 0, "transparent_hugepage/defrag": "never" };
  return simulate(parseScript(script, "far.pw"), { settings }).result;
}

test.each(["always", "never"])("each touch of a script is one line, near or far, under thp=%s", (thp) => {
  const near = run(0, thp).numa!;
  expect([near.localLines, near.remoteLines]).toEqual([4 * 2048, 0]);
  const far = run(1, thp).numa!;
  expect([far.localLines, far.remoteLines]).toEqual([2048, 3 * 2048]);
  expect(far.remoteNs).toBe(3 * 2048 * EXTRA_NS);
});

test.each(["always", "never"])("what is far takes longer, under thp=%s", (thp) => {
  const longerNs = run(1, thp).runNs - run(0, thp).runNs;
  expect(longerNs / (3 * 2048 * EXTRA_NS)).toBeGreaterThan(0.9);
  expect(longerNs / (3 * 2048 * EXTRA_NS)).toBeLessThan(1.1);
});
