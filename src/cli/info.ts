/** `pagewise info`: what a stored trace holds. Reads it whole, so that damage is found. */
import { statSync } from "node:fs";
import type { Command } from "commander";
import { formatBytes, formatFigure } from "../report/format.ts";
import { wrapped } from "../report/text.ts";
import { missesOf } from "../workloads/import/misses.ts";
import type { TraceHeader } from "../workloads/records.ts";
import type { TraceTotals } from "../workloads/trace/format.ts";
import { summarizeTrace, type TraceSummary } from "../workloads/trace/summary.ts";
import { EXIT, whenCalled } from "./command.ts";
import { demandFile, err, out, widthChars } from "./host.ts";
import { openStored } from "./stored.ts";

interface Facts {
  readonly file: string;
  readonly bytes: number;
  readonly header: TraceHeader;
  readonly summary: TraceSummary;
  /** Undefined of a trace that is cut off. */
  readonly totals: TraceTotals | undefined;
  readonly cutOff: string | undefined;
}

export function registerInfo(program: Command): void {
  const command = program
    .command("info")
    .summary("say what a stored trace holds")
    .description(
      "Say what a stored trace holds: program, machine, processes, how its memory was used, what is missing.",
    )
    .argument("<trace>", "a stored trace (.pwt)")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ pagewise info examples/redis.pwt");
  whenCalled(command, (file: string, options: { readonly json?: true }) => {
    demandFile(file);
    const reader = openStored(file, undefined, { salvage: true });
    const summary = summarizeTrace(reader);
    const { totals, cutOff } = reader;
    const facts = { file, bytes: statSync(file).size, header: reader.header, summary, totals, cutOff };
    out(options.json === true ? JSON.stringify(jsonOf(facts)) + "\n" : textOf(facts));
    if (cutOff === undefined) return EXIT.ok;
    err(`pagewise: warning: ${file}: the trace is ${cutOff}\n`);
    err(`pagewise: next: pagewise import ${file} -o whole.pwt makes a trace of what there is\n`);
    return EXIT.broken;
  });
}

function jsonOf({ file, bytes, header, summary, totals, cutOff }: Facts): Record<string, unknown> {
  return {
    file,
    bytes,
    cut_off: cutOff ?? null,
    hash: totals?.hash,
    raw_bytes: totals?.rawBytes,
    header,
    recorded: totals?.recorded,
    ...summary,
  };
}

function textOf(facts: Facts): string {
  return [header, recording, contents, whatIsMissing, processes, areas].map((part) => part(facts)).join("");
}

const NAME_CHARS = 12;

/** A name and what is said of it, which goes on below itself where the terminal ends. */
function row(name: string, value: string): string {
  const lines = wrapped(value, Math.max(60, widthChars()) - NAME_CHARS, "");
  return `${(name + ":").padEnd(NAME_CHARS)}${lines.join(`\n${" ".repeat(NAME_CHARS)}`)}\n`;
}

function header({ header: h }: Facts): string {
  let text = row("program", h.program || "unknown");
  text += row("source", `${h.recording?.tool ?? h.source}, ${COVERAGES[h.coverage]}`);
  if (h.recordedUnder !== "") text += row("recorded", `under THP ${h.recordedUnder}`);
  return text;
}

const COVERAGES = {
  references: "every reference",
  folded: "every reference, folded",
  faults: "page faults alone",
} as const;

/** Who recorded, where, and how the program ended. */
function recording({ header: { recording: r }, totals }: Facts): string {
  const recorded = totals?.recorded;
  if (r === undefined) return "";
  let text = row(
    "command",
    r.command.join(" ") + (r.pid === undefined ? "" : ` (process ${r.pid}, running)`),
  );
  text += row("machine", r.machine) + row("kernel", r.kernel);
  if (recorded === undefined) return text;
  const { wallS, cpuS, exitStatus, signal, endedEarly } = recorded;
  if (endedEarly !== undefined) text += row("cut short", `recording ended before the program: ${endedEarly}`);
  const cpu = cpuS === undefined ? "" : `, ${cpuS.toFixed(2)} s of CPU`;
  const by = signal === undefined ? "" : ` (${signal})`;
  const end = exitStatus === undefined ? "it went on" : `exit status ${exitStatus}${by}`;
  return text + row("ran", `${wallS.toFixed(2)} s under the recorder${cpu}; ${end}`);
}

function contents({ bytes, header: h, summary, totals }: Facts): string {
  const { faults, pages, slots, reads, writes, executed, references } = summary;
  const seconds = h.timeUnit === "ns" ? ` (${(summary.span / 1e9).toFixed(3)} s)` : "";
  const ofThese = faults > 0 ? `, of which ${grouped(faults)} faults of the recorded kernel` : "";
  let text = row("records", grouped(summary.records) + ofThese);
  const uses = [`${grouped(reads)} reads`, `${grouped(writes)} writes`, `${grouped(executed)} executed`];
  text += row("references", uses.join(", "));
  text += row(
    "pages",
    `${grouped(pages)} distinct (${formatBytes(pages * 4096)}) in ${slots} regions of 2 MiB`,
  );
  const ratio = `${(summary.firstReadRatio * 100).toFixed(1)}% reads`;
  text += row("first use", `${grouped(summary.firstTouches)} pages; of data ${ratio}, the rest writes`);
  text += row("time", `${grouped(summary.span)} ${h.timeUnit}${seconds}`);
  const events = Object.entries(summary.events).map(([kind, count]) => `${count} ${kind}`);
  text += row("events", events.length > 0 ? events.join(", ") : "none");
  const perReference = references === 0 ? "" : `, ${(bytes / references).toPrecision(3)} bytes a reference`;
  return (
    text +
    row("size", formatBytes(bytes) + perReference) +
    row("hash", totals?.hash ?? "none: the end is missing")
  );
}

function whatIsMissing({ header: h, summary }: Facts): string {
  const lost = summary.lost.map((what) => row("lost", what)).join("");
  const misses = (h.recording?.misses ?? missesOf(h.source)).map((what) => row("not seen", what));
  return lost + misses.join("");
}

function processes({ summary }: Facts): string {
  let text = "\n     pid threads    records      pages  name\n";
  for (const { pid, threads, records, pages, name } of summary.processes) {
    const columns = [String(pid).padStart(8), String(threads).padStart(7)];
    text += `${columns.join(" ")} ${grouped(records).padStart(10)} ${grouped(pages).padStart(10)}  ${name}\n`;
  }
  return text;
}

/** Lines that are shown; a trace may hold thousands. */
const AREAS_SHOWN = 12;
const HEAT = " ▁▂▃▄▅▆▇█";

/** The largest stretches of memory that were used, and how much of all use they had. */
function areas({ summary, header: h }: Facts): string {
  if (summary.areas.length === 0) return "";
  const all = Math.max(1, h.coverage === "faults" ? summary.records : summary.references);
  let text = "\n     pid           from      size     pages   used  share of use\n";
  for (const area of summary.areas.slice(0, AREAS_SHOWN)) {
    const pid = summary.processes[area.process]?.pid ?? 0;
    const share = area.references / all;
    const bar = HEAT[Math.min(8, Math.ceil(share * 8))]!;
    const used = `${((area.pages * 4096 * 100) / area.bytes).toFixed(0)}%`;
    const place = `${String(pid).padStart(8)} ${area.start.toString(16).padStart(14)}`;
    const size = `${formatBytes(area.bytes).padStart(9)} ${grouped(area.pages).padStart(9)}`;
    text += `${place} ${size} ${used.padStart(6)}  ${`${(share * 100).toFixed(1)}%`.padStart(6)} ${bar}\n`;
  }
  const more = summary.areas.length - AREAS_SHOWN;
  return more > 0 ? `${text}          and ${more} smaller ones\n` : text;
}

const grouped = (value: number): string => formatFigure("count", value);
