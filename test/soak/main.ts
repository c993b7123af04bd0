/** `npm run soak [-- --seed N --count N]`: random scripts with every invariant checked; 2,000 unless told. */
import { parseArgs } from "node:util";
import { soakScript } from "./scripts.ts";
import { replayLine, soak } from "./soak.ts";

const { values } = parseArgs({
  options: { seed: { type: "string", default: "1" }, count: { type: "string", default: "2000" } },
});
const first = Number(values.seed);
const count = Number(values.count);
if (!Number.isInteger(first) || !Number.isInteger(count) || count < 1) {
  console.error("soak: --seed and --count are whole numbers, --count at least 1");
  process.exit(2);
}

let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  for (const failure of soak(seed, 1)) {
    failed++;
    console.log(replayLine(failure));
    if (count === 1) console.log(`${failure.error.stack}\n\n${soakScript(seed)}`);
  }
}
console.log(
  `${count} scripts from seed ${first}: ${failed === 0 ? "no invariant broke" : failed + " runs broke"}`,
);
process.exitCode = failed === 0 ? 0 : 1;
