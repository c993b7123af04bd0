/**
 * Simulates one script and one trace with the library at a given place, and tells the bytes of the results as
 * text: as a program (`node same-bytes.mjs FOLDER LIBRARY`), or in a worker thread. Runs on every Node.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** A few figures for people and the hash of everything, one line each. */
function linesOf(name, { result, lines }) {
  const { vmstat } = result;
  const figures = ["pgfault", "thp_fault_alloc", "thp_collapse_alloc", "thp_split_pmd"].map(
    (counter) => `${name} ${counter} ${vmstat[counter] ?? 0}`,
  );
  const json = JSON.stringify({ result, lines });
  return [...figures, `${name} run_ns ${result.runNs}`, `${name} sha256 ${sha256(json)}`];
}

/** The folder holds `same-bytes.pw` and `redis.pwt`, the trace without compression. */
export function sameBytes(library, folder) {
  const script = library.parseScript(readFileSync(join(folder, "same-bytes.pw"), "utf8"), "same-bytes.pw");
  const trace = library.openTrace(readFileSync(join(folder, "redis.pwt")));
  const always = { thp: "always" };
  return [
    ...linesOf("script", library.simulate(script, { generation: "linux-6.1", machine: { seed: 3 } })),
    ...linesOf("trace", library.simulate(trace, { generation: "linux-6.18", settings: always })),
    "",
  ].join("\n");
}

const [folder, path] = workerData ?? process.argv.slice(2);
if (folder !== undefined && path !== undefined) {
  const text = sameBytes(await import(pathToFileURL(path).href), folder);
  if (parentPort === null) process.stdout.write(text);
  else parentPort.postMessage(text);
}
