/**
 * `npm run soak [-- --seed N --count N --generations A,B]`: random scripts with every invariant checked;
 * 2,000 under every generation unless told.
 */
import { parseArgs } from "node:util";
import { GENERATIONS } from "../../src/generations/index.ts";
import { soakScript } from "./scripts.ts";
import { isKnownDefect, replayLine, soak } from "./soak.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "2000" },
    generations: { type: "string", default: GENERATIONS.map(({ name }) => name).join(",") },
  },
});
const first = Number(values.seed);
const count = Number(values.count);
const names = values.generations.split(",");
const generations = GENERATIONS.filter(({ name }) => names.includes(name));
if (!Number.isInteger(first) || !Number.isInteger(count) || count < 1) {
  console.error("soak: --seed and --count are whole numbers, --count at least 1");
  process.exit(2);
}
if (generations.length !== names.length) {
  console.error(`soak: --generations are of ${GENERATIONS.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

let failed = 0;
let known = 0;
for (let seed = first; seed < first + count; seed++) {
  for (const failure of soak(seed, 1, generations)) {
    if (isKnownDefect(failure)) known++;
    else failed++;
    console.log(replayLine(failure));
    if (count === 1) console.log(`${failure.error.stack}\n\n${soakScript(seed)}`);
  }
}
const verdict = failed === 0 ? "no invariant broke" : failed + " runs broke";
const asPosted = known === 0 ? "" : `; ${known} runs show a known defect of the posted reservations`;
console.log(`${count} scripts from seed ${first}: ${verdict}${asPosted}`);
process.exitCode = failed === 0 ? 0 : 1;
