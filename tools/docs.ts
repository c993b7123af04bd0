/** `npm run docs`: writes what documents take from the sources: mechanisms, knobs, workloads, hardware. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderMechanisms, withGenerated } from "./fidelity.ts";
import { renderHardware } from "./hardware.ts";
import { renderKnobs } from "./knobs.ts";
import { renderWorkloads } from "./workloads.ts";

const root = join(import.meta.dirname, "..");
const fidelity = join(root, "docs", "FIDELITY.md");

writeFileSync(fidelity, withGenerated(readFileSync(fidelity, "utf8"), "mechanisms", renderMechanisms(root)));
writeFileSync(join(root, "docs", "knobs.md"), renderKnobs());
writeFileSync(join(root, "docs", "workloads.md"), renderWorkloads());
writeFileSync(join(root, "docs", "hardware.md"), renderHardware());
