/**
 * The headline experiment over thresholds and laws: which child's map fails.
 *
 *     node tools/run-ts.mjs bench/fork-sparse.ts              a 64th of the machine, every threshold and law
 *     node tools/run-ts.mjs bench/fork-sparse.ts --full       the whole machine; hours, 6 GiB
 *     …  --laws one-or-256 --thresholds 1,256 --generation linux-4.19 --defrag madvise
 *
 * A kernel without reservations has no threshold. Beside the model's figure stand the arithmetic over the
 * numbers that its children drew, and that of the law.
 */
import { parseArgs } from "node:util";
import { simulate } from "../src/engine/simulation.ts";
import { generationByName } from "../src/generations/index.ts";
import { workloadByName } from "../src/workloads/generators/index.ts";
import { drawnFailingChild, expectedFailingChild, sixtyFourth } from "../test/fork-sparse.ts";

const { values } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    laws: { type: "string", default: "one-or-256,up-to-128,one-or-512,up-to-512" },
    thresholds: { type: "string", default: "1,2,16,32,64,96,128,192,256,384,512" },
    generation: { type: "string", default: "thp-reservations-reviewed" },
    seed: { type: "string", default: "1" },
    defrag: { type: "string", default: "always" },
  },
});

const generation = generationByName(values.generation);
const hasThreshold = generation?.knobs.some(({ name }) => name.endsWith("promotion_threshold")) ?? true;
const thresholds = hasThreshold ? values.thresholds.split(",").map(Number) : [1];

console.log("law         threshold  failing child  drawn  expected  pages a region  RSS MiB  CPU s");
for (const law of values.laws.split(",")) {
  for (const threshold of thresholds) {
    const seed = Number(values.seed);
    const began = process.cpuUsage();
    const own = values.full ? { name: "fork-sparse", machine: { seed } } : sixtyFourth(seed);
    const { result } = simulate(workloadByName(`${own.name},law=${law}`), {
      generation: values.generation,
      machine: own.machine,
      settings: {
        "transparent_hugepage/defrag": values.defrag,
        ...(hasThreshold ? { promotion_threshold: threshold } : {}),
      },
    });
    const { failing_child: child = 0, pages_touched_a_region: pages = 0 } = result.told ?? {};
    const figures = [
      threshold,
      child,
      drawnFailingChild(law, threshold, seed, values.full ? 1 : 64),
      expectedFailingChild(law, threshold),
      pages.toFixed(2),
      Math.round(process.resourceUsage().maxRSS / 1024),
      (process.cpuUsage(began).user / 1e6).toFixed(1),
    ];
    console.log(
      law.padEnd(12) +
        figures.map((each, i) => String(each).padStart([9, 15, 7, 10, 16, 9, 10][i]!)).join(""),
    );
  }
}
