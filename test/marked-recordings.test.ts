/**
 * Pages that the scanner has marked and nobody has used yet, and what becomes of them: recordings of Debian's
 * 6.1 in a virtual machine.
 *
 *     marked ─▶ one call (fork, pin, mprotect, mremap, munmap, split, collapse …) ─▶ used
 *
 * Regions and the counters of huge pages are compared exactly; the counters of NUMA balancing but for the
 * pages of the recorded program itself, which are marked, used and moved as well.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ScriptLine } from "../src/engine/simulate.ts";
import { generationByName } from "../src/generations/index.ts";
import { runModel } from "../src/validate/model.ts";
import { parseScript } from "../src/workloads/script/parse.ts";

type Snapshot = Extract<ScriptLine, { readonly snapshot: string }>;
type Recorded = Pick<Snapshot, "vmstat" | "maps">;

interface Recording {
  readonly script: string;
  readonly snapshots: Readonly<Record<string, Recorded>>;
}

const file = join(import.meta.dirname, "recordings", "marked-6.1.json");
const { scripts } = JSON.parse(readFileSync(file, "utf8")) as {
  readonly scripts: Readonly<Record<string, Recording>>;
};

/** The program's own pages: so many are marked at most, and so many of them are used and moved. */
const OWN_MARKED = 220;
const OWN_USED = 12;
const OWN: Readonly<Record<string, number>> = {
  numa_pte_updates: OWN_MARKED,
  numa_hint_faults: OWN_USED,
  numa_pages_migrated: OWN_USED,
  pgmigrate_success: OWN_USED,
};
const EXACT = /^(thp_|pgmigrate_fail|numa_huge_pte_updates|numa_hint_faults_local)/;

/** Counters and regions that are not the kernel's. */
function differences(model: Snapshot, kernel: Recorded): string[] {
  const found: string[] = [];
  const names = new Set([...Object.keys(kernel.vmstat), ...Object.keys(model.vmstat)]);
  for (const name of names) {
    const own = OWN[name] ?? (EXACT.test(name) ? 0 : undefined);
    if (own === undefined) continue;
    const [mine, theirs] = [model.vmstat[name] ?? 0, kernel.vmstat[name] ?? 0];
    if (theirs < mine || theirs > mine + own) found.push(`${name}: model ${mine}, kernel ${theirs}`);
  }
  for (const [region, theirs] of Object.entries(kernel.maps)) {
    const { rss_kb, anon_huge_kb, node_pages } = model.maps[region]!;
    const mine = JSON.stringify({ rss_kb, anon_huge_kb, node_pages });
    if (mine !== JSON.stringify(theirs))
      found.push(`${region}: model ${mine}, kernel ${JSON.stringify(theirs)}`);
  }
  return found;
}

test.each(Object.entries(scripts))("%s", (name, { script, snapshots }) => {
  const generation = generationByName("linux-6.1")!;
  const options = { generation, hugeZeroAllocated: false, verify: false };
  const { lines } = runModel(parseScript(script, name), options);
  const mine = lines.filter((line): line is Snapshot => "snapshot" in line);
  expect(mine.map(({ snapshot }) => snapshot)).toEqual(Object.keys(snapshots));
  for (const line of mine)
    expect([line.snapshot, ...differences(line, snapshots[line.snapshot]!)]).toEqual([line.snapshot]);
});
