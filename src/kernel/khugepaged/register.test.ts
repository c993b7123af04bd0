import { expect, test } from "vitest";
import { simulate } from "../../engine/simulation.ts";
import { LINUX_6_18 } from "../../generations/linux-6.18.ts";
import { HARDWARE } from "../../hardware/index.ts";
import { parseScript } from "../../workloads/script/parse.ts";

const SCRIPT = `machine nodes=1 cpus=2 mem=1G
set transparent_hugepage/enabled madvise
map buf 8M align 2M
write buf step 64K
advise buf hugepage
sleep 50ms
snapshot soon
`;

function collapsedSoon(quietSystem: boolean): number {
  const script = parseScript(SCRIPT, "first.pw");
  const { lines } = simulate(script, { generation: LINUX_6_18, hardware: HARDWARE[0]!, quietSystem });
  const soon = lines.find((line) => "snapshot" in line);
  return soon !== undefined && "snapshot" in soon ? (soon.vmstat.thp_collapse_alloc ?? 0) : -1;
}

test("on a busy system khugepaged sees a newly registered program only in its next pass", () => {
  expect(collapsedSoon(false)).toBe(0);
});

test("on a quiet system the first program that registers wakes khugepaged, which scans it at once", () => {
  expect(collapsedSoon(true)).toBe(4);
});
