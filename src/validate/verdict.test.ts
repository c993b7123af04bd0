import { expect, test } from "vitest";
import type { ScriptLine } from "../engine/simulate.ts";
import { generationByName } from "../generations/index.ts";
import { parseScript } from "../workloads/script/parse.ts";
import { judge } from "./verdict.ts";

/** Short of memory on both sides: no figure is compared by itself. */
const SHORT = `machine nodes=1 cpus=1 mem=64M swap=128M
set transparent_hugepage/enabled never
map r 72M
write r
snapshot s
`;
const KERNEL = {
  snapshot: "s",
  vmstat: { pgscan_kswapd: 9, thp_fault_alloc: 0 },
  maps: {
    r: { rss_kb: 409_600, anon_huge_kb: 0, anon_kb: 409_600, swap_kb: 204_800, node_pages: [102_400] },
  },
} as ScriptLine;

function verdict(claims: string): string {
  const script = parseScript(SHORT + claims, "short.pw");
  return judge(script, generationByName("linux-6.1")!, { outcome: "ran", lines: [KERNEL] }).kind;
}

test("a script of claims alone agrees or differs by its claims; without any it was not run", () => {
  expect(verdict("expect thp_fault_alloc == 0\n")).toBe("agrees");
  expect(verdict("expect thp_fault_alloc == 1\n")).toBe("differs");
  expect(verdict("")).toBe("not-run");
});
