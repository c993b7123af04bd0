import { expect, test } from "vitest";
import { workloadByName } from "../workloads/generators/index.ts";
import { parseScript } from "../workloads/script/parse.ts";
import { simulate } from "./simulation.ts";

const run = (text: string, options = {}) => simulate(parseScript(text, "t.pw"), options);
const MACHINE = "machine nodes=1 cpus=2 mem=64M\n";

test.each([
  [{ nodes: 1024, memBytes: 2 ** 36 }, "nodes", "expected a whole number from 1 to 64, found 1024"],
  [{ cpus: 1e13 }, "cpus", "expected a whole number from 1 to 8192, found 10000000000000"],
  [{ memBytes: 2 ** 20 }, "memBytes", "expected a whole number from 2097152 to 4398046511104"],
  [{ nodes: 4, memBytes: 2 ** 22 }, "memBytes", "expected a whole number from 8388608"],
  [{ memBytes: 2 ** 46 }, "memBytes", "expected a whole number from 2097152 to 4398046511104"],
  [{ swapBytes: 2 ** 50 }, "swapBytes", "expected a whole number from 0 to 1099511627776"],
  [{ scale: 16, hugeBytes: 8192 }, "hugeBytes", "expected 8 KiB to 2 MiB after division by scale=16"],
])("a machine that nobody can have is refused: %o", (machine, what, message) => {
  const refused = () => run("map a 1M\n", { machine });
  expect(refused).toThrow(message);
  expect(refused).toThrow(expect.objectContaining({ place: { file: `machine.${what}` } }));
});

test("nodes may be without CPUs, and a run says all that its machine is", () => {
  const machine = { nodes: 4, cpus: 2, memBytes: 2 ** 30, hugeBytes: 65_536, swapBytes: 2 ** 26 };
  const { result } = run("map a 1M\nwrite a\n", { machine });
  expect(result.machine).toBe("nodes=4 cpus=2 mem=1G huge=64K swap=64M");
  expect(result.outcome).toBe("finished");
});

test("scale divides swap as it divides memory", () => {
  const machine = { memBytes: 2 ** 30, swapBytes: 2 ** 28, scale: 16 };
  const swapped = run("map a 48M\nwrite a\nadvise a pageout\nsnapshot s\n", { machine });
  expect(swapped.result.machine).toBe("nodes=1 cpus=2 mem=1G swap=256M scale=16");
  // 48 MiB of the model go out as far as its 16 MiB of swap take them.
  expect(swapped.result.vmstat.pswpout).toBe(2 ** 24 / 4096);
});

test("what the kernel refuses is in the result, call by call", () => {
  const { result, lines } = run(`${MACHINE}map a 1000M\nmap b 1000M\nwrite a\n`);
  expect(result.failedCalls).toEqual([
    { call: "map", errno: 12, count: 2 },
    { call: "write", errno: 14, count: 1 },
  ]);
  expect(lines.filter((line) => "errno" in line)).toHaveLength(3);
  const machine = { nodes: 1, cpus: 1, memBytes: 2 ** 26 };
  const refused = simulate(workloadByName("gups,size=1G,updates=1"), { machine });
  expect(refused.result.failedCalls).toEqual([{ call: "mmap", errno: 12, count: 1 }]);
});

test("a mapping asked for where no page begins is EINVAL", () => {
  const { result } = run(`${MACHINE}map a 2M at 0x10000001\nmap b 2M\nremap b 4M at 0x20000800\n`);
  expect(result.failedCalls).toEqual([
    { call: "map", errno: 22, count: 1 },
    { call: "remap", errno: 22, count: 1 },
  ]);
});

test("the walk of a fault shows the TLB of the CPU that took it, on a machine of many", () => {
  const text = "machine nodes=2 cpus=48 mem=1G\nmap a 1M\ncpu 40\nwrite a\n";
  const { recording } = run(text, { record: true });
  const last = recording!.courses.at(-1)!.at(-1)!;
  expect(last.firstCpu).toBe(32);
  expect(last.tlb).toHaveLength(16);
});

test("page tables of a scaled machine are as large a part of memory as of the one that is meant", () => {
  const text = (scale: string) => `machine nodes=1 cpus=1 mem=4G${scale}
set transparent_hugepage/enabled never
map a 64M align 2M
write a
`;
  const share = (scale: string) => {
    const { samples } = run(text(scale), { record: true }).recording!;
    return Math.max(...samples.memoryKb["page-tables"]!) / Math.max(...samples.memoryKb.base!);
  };
  expect(share(" scale=16")).toBeCloseTo(share(""), 3);
});
