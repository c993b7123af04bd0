/** `pagewise info`: what a stored trace holds. Reads it whole, so that damage is found. */
import { statSync } from "node:fs";
import type { Command } from "commander";
import { UserError } from "../lib/assert.ts";
import type { TraceHeader } from "../workloads/records.ts";
import type { TraceTotals } from "../workloads/trace/format.ts";
import { summarizeTrace, type TraceSummary } from "../workloads/trace/summary.ts";
import { EXIT, whenCalled } from "./command.ts";
import { demandFile, out } from "./host.ts";
import { openStored } from "./stored.ts";

interface Facts {
  readonly file: string;
  readonly bytes: number;
  readonly header: TraceHeader;
  readonly summary: TraceSummary;
  readonly totals: TraceTotals;
}

export function registerInfo(program: Command): void {
  const command = program
    .command("info")
    .summary("say what a stored trace holds")
    .description("Say what a stored trace holds: program, processes, references, events, pages, time, hash.")
    .argument("<trace>", "a stored trace (.pwt)")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ pagewise info examples/redis.pwt");
  whenCalled(command, (file: string, options: { readonly json?: true }) => {
    demandFile(file);
    const reader = openStored(file);
    const summary = summarizeTrace(reader);
    const { totals } = reader;
    if (totals === undefined) throw new UserError("the trace has no end block", { file });
    const facts = { file, bytes: statSync(file).size, header: reader.header, summary, totals };
    out(options.json === true ? JSON.stringify(jsonOf(facts)) + "\n" : textOf(facts));
    return EXIT.ok;
  });
}

function jsonOf({ file, bytes, header, summary, totals }: Facts): Record<string, unknown> {
  return { file, bytes, hash: totals.hash, raw_bytes: totals.rawBytes, header, ...summary };
}

function textOf({ bytes, header, summary, totals }: Facts): string {
  const row = (name: string, value: string): string => `${(name + ":").padEnd(12)}${value}\n`;
  const seconds = header.timeUnit === "ns" ? ` (${(summary.span / 1e9).toFixed(3)} s)` : "";
  const perReference = summary.references === 0 ? 0 : bytes / summary.references;
  const events = Object.entries(summary.events).map(([kind, count]) => `${count} ${kind}`);
  const { faults, pages, slots, reads, writes, executed } = summary;
  let text = row("program", header.program || "unknown");
  text += row("source", `${header.source}, ${header.coverage}, ${header.layout} layout`);
  if (header.recordedUnder !== "") text += row("recorded", `under THP ${header.recordedUnder}`);
  const ofThese = faults > 0 ? `, of which ${grouped(faults)} faults of the recorded kernel` : "";
  text += row("records", grouped(summary.records) + ofThese);
  const uses = [`${grouped(reads)} reads`, `${grouped(writes)} writes`, `${grouped(executed)} executed`];
  text += row("references", uses.join(", "));
  const size = `${grouped(pages * 4)} kB`;
  text += row("pages", `${grouped(pages)} distinct (${size}) in ${slots} regions of 2 MiB`);
  text += row("time", `${grouped(summary.span)} ${header.timeUnit}${seconds}`);
  text += row("events", events.length > 0 ? events.join(", ") : "none");
  text += row("size", `${grouped(bytes)} bytes, ${perReference.toPrecision(3)} a reference`);
  text += row("hash", totals.hash);
  for (const what of summary.lost) text += row("lost", what);
  text += "\n     pid threads    records      pages  name\n";
  for (const { pid, threads, records, pages, name } of summary.processes) {
    const columns = [String(pid).padStart(8), String(threads).padStart(7)];
    text += `${columns.join(" ")} ${grouped(records).padStart(10)} ${grouped(pages).padStart(10)}  ${name}\n`;
  }
  return text;
}

/** Digits in groups of three, in every locale the same. */
function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, " ");
}
