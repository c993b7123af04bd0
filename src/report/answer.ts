/**
 * The answer in plain words: what each setting costs and saves against the first, from the figures alone. No
 * word of the kernel is needed to read it.
 */
import { nameOfErrno } from "./errnos.ts";
import { formatCount, formatFigure, formatRelative } from "./format.ts";
import { type Column, type Row, tableOf } from "./table.ts";

interface Topic {
  readonly key: string;
  /** "7% more …" */
  readonly more: string;
  /** "7% of …" */
  readonly of: string;
}

/** What a person decides by, in order of telling; the wait for one fault comes second. */
const TOPICS: readonly Topic[] = [
  { key: "peak_rss_sum", more: "memory at its peak", of: "the peak memory" },
  { key: "cow_copied", more: "copying after fork", of: "the copying after fork" },
  { key: "fault_time", more: "time in page faults", of: "the time in page faults" },
  { key: "tlb_misses", more: "TLB misses", of: "the TLB misses" },
  { key: "remote_time", more: "time lost to remote memory", of: "the time lost to remote memory" },
  { key: "run_time", more: "run time", of: "the run time" },
];

/** Waits for one fault, the commonest first; only the first that at least doubles or halves is told. */
const WAITS: readonly (readonly [key: string, words: string])[] = [
  ["fault_p99", "one page fault of a hundred"],
  ["fault_p999", "one page fault of a thousand"],
  ["fault_max", "its longest page fault"],
];

/** Below one percent nobody decides by it. */
const WORTH_TELLING = 0.01;

function phrase(topic: Topic, row: Row, index: number): string {
  const cell = row.cells[index]!;
  if (cell.relative === undefined) return `${formatFigure(row.kind, cell.value)} of ${topic.more}`;
  if (cell.relative >= 1) return `${formatRelative(cell.relative).slice(1)} times ${topic.of}`;
  const percent = formatRelative(cell.relative).replace(/^[+-]/, "");
  return cell.verdict === "worse" ? `${percent} more ${topic.more}` : `${percent} of ${topic.of}`;
}

/** "a wait of 176 µs instead of 2.1 µs in …", and whether that is a cost. */
function waitOf(rows: ReadonlyMap<string, Row>, index: number): { told: string; cost: boolean } | undefined {
  for (const [key, words] of WAITS) {
    const row = rows.get(key);
    const value = row?.cells[index]?.value ?? 0;
    const first = row?.cells[0]?.value ?? 0;
    if (row === undefined || value === 0 || first === 0) continue;
    if (value < first * 2 && first < value * 2) continue;
    const figures = `${formatFigure(row.kind, value)} instead of ${formatFigure(row.kind, first)}`;
    return { told: `a wait of ${figures} in ${words}`, cost: value > first };
  }
  return undefined;
}

function join(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join("");
  return parts.slice(0, -1).join(", ") + " and " + parts.at(-1);
}

/** "costs …", "saves …", "gives …" of one column, or how little it changes. */
function consequence(rows: ReadonlyMap<string, Row>, columns: readonly Column[], index: number): string[] {
  const ended = earlyEnd(columns[index]!.result);
  if (ended !== undefined) return [ended];
  const costs: string[] = [];
  const saves: string[] = [];
  const wait = waitOf(rows, index);
  for (const topic of TOPICS) {
    const row = rows.get(topic.key);
    const cell = row?.cells[index];
    if (row === undefined || cell?.value === undefined) continue;
    if (cell.relative !== undefined && Math.abs(cell.relative) < WORTH_TELLING) continue;
    if (cell.verdict === "worse") costs.push(phrase(topic, row, index));
    else if (cell.verdict === "better") saves.push(phrase(topic, row, index));
  }
  if (wait?.cost === true) costs.splice(1, 0, wait.told);
  const told: string[] = [];
  if (costs.length > 0) told.push("costs " + join(costs));
  if (saves.length > 0) told.push("saves " + join(saves));
  if (wait?.cost === false) told.push("gives " + wait.told);
  return told.length === 0 ? ["changes nothing that matters"] : told;
}

/** Why the run is not the whole program: it ended for want of memory, or was given none at all. */
export function earlyEnd({ outcome, failedCalls = [], touchedPeakKb }: Column["result"]): string | undefined {
  if (outcome === "oom") return "runs out of memory";
  const refused = failedCalls.find(({ call }) => call === "map" || call === "mmap");
  if (refused === undefined || touchedPeakKb > 0) return undefined;
  return `is refused its memory (${refused.call}: ${nameOfErrno(refused.errno)}) and touches none`;
}

function alone({ name, result }: Column): string {
  const ended = earlyEnd(result);
  if (ended !== undefined) return `Under ${name} the program ${ended}.`;
  const memory = formatFigure("bytes", result.peakRssSumKb * 1024);
  const count = result.vmstat.pgfault ?? 0;
  const faults = `${formatCount(count, "page fault")} ${count === 1 ? "takes" : "take"}`;
  const time = formatFigure("ns", result.faultsAll.totalNs);
  return `Under ${name} the program takes ${memory} at its peak; its ${faults} ${time} in all.`;
}

/**
 * One sentence for each setting that differs from the first; settings with the same consequence share one.
 */
export function answerOf(columns: readonly Column[]): string[] {
  if (columns.length === 1) return [alone(columns[0]!)];
  const rows = new Map(tableOf(columns).flatMap((group) => group.rows.map((row) => [row.key, row] as const)));
  const byConsequence = new Map<string, { told: string[]; names: string[] }>();
  for (let i = 1; i < columns.length; i++) {
    const told = consequence(rows, columns, i);
    const same = byConsequence.get(told.join());
    if (same === undefined) byConsequence.set(told.join(), { told, names: [columns[i]!.name] });
    else same.names.push(columns[i]!.name);
  }
  const first = columns[0]!;
  const ended = earlyEnd(first.result);
  // What does nothing, or ends too soon, is no measure of the others.
  if (ended !== undefined && byConsequence.size === 1 && byConsequence.has(ended))
    return [`Under every setting the program ${ended}.`];
  const failed = ended === undefined ? [] : [`Under ${first.name} the program ${ended}.`];
  const sentences = [...byConsequence.values()].map(({ told, names }) => {
    const who = join(names.map((name) => `“${name}”`));
    const many = names.length > 1;
    return `Against “${first.name}”, ${who}${many ? " each" : ""} ${told.join(many ? "; each " : "; it ")}.`;
  });
  return [...failed, ...sentences];
}
