/** Recorded runs for tests: small, and different where a view or an export must show a difference. */
import { simulate } from "../../src/engine/simulation.ts";
import type { Column } from "../../src/report/table.ts";
import { parseScript } from "../../src/workloads/script/parse.ts";

/** Huge faults, base faults, a fork with copies, a split, a second thread whose CPU is interrupted. */
const SCRIPT = `
machine nodes=1 cpus=2 mem=1G
map heap 8M align 2M
write heap 0..5M
sleep 1ms
thread t {
  cpu 1
  read heap 0..1M
  sleep 3ms
}
fork child {
  write heap 0..64K
  sleep 2ms
}
read heap 128K..192K
write heap 128K..192K
join child
advise heap 4M..4100K dontneed
join t
write heap
sleep 1ms
`;

/** The same program under `never` and `always`, recorded. */
export function recordedColumns(): Column[] {
  return ["never", "always"].map((thp) => {
    const options = { generation: "linux-6.18", settings: { thp }, record: true, name: "sample" };
    const { result, recording } = simulate(parseScript(SCRIPT, "sample.pw"), options);
    return { name: `thp=${thp}`, result, recording };
  });
}
