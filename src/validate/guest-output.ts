/**
 * What the virtual machine's console said, taken apart. The runner marks where a script begins and ends with
 * a word that no command line, echo or kernel message has; between them stand JSON lines, and whatever the
 * kernel itself had to say.
 *
 *     … kernel messages …
 *     @@4f1c kernel {"release":…}
 *     @@4f1c begin 0001
 *     {"snapshot":…}
 *     @@4f1c end 0001 status 0
 *     @@4f1c over
 */
import type { ScriptLine } from "../engine/simulate.ts";

/** Which kernel it was, by its own account. */
export interface GuestKernel {
  readonly release: string;
  readonly version: string;
  /** `transparent_hugepage/enabled` at boot; "none" when the kernel has no huge pages. */
  readonly thp: string;
  /** Ranges of nodes that are online, such as 0-1; "none" when the kernel knows no NUMA. */
  readonly nodes: string;
  readonly cpus: string;
}

/** What became of one script in the guest. Only "ran" is a result. */
export type GuestRun =
  | { readonly outcome: "ran"; readonly lines: readonly ScriptLine[] }
  /** The kernel killed it: what it reported until then counts. */
  | { readonly outcome: "killed"; readonly lines: readonly ScriptLine[] }
  | { readonly outcome: "failed"; readonly why: string; readonly lines: readonly ScriptLine[] };

export interface GuestOutput {
  readonly kernel: GuestKernel | undefined;
  /** Scripts that ended, by the name the archive gives them. */
  readonly runs: ReadonlyMap<string, GuestRun>;
  /** The script that had begun when the output ended. */
  readonly unfinished: string | undefined;
  /** The runner said that it was done. */
  readonly over: boolean;
  /** Why the runner ran no script at all. */
  readonly refused: string | undefined;
  /** What the console said outside of results: for people, when something went wrong. */
  readonly messages: readonly string[];
}

interface Reading {
  kernel: GuestKernel | undefined;
  readonly runs: Map<string, GuestRun>;
  unfinished: string | undefined;
  over: boolean;
  refused: string | undefined;
  readonly messages: string[];
  lines: ScriptLine[];
  /** First thing in the script's output that is no line of the language. */
  broken: string | undefined;
}

/** Why a script that ended did not end well; undefined if it did. */
function failureOf(how: string, status: number, broken: string | undefined): string | undefined {
  if (how === "late") return "took longer than its time limit in the guest";
  if (how === "unreadable") return broken ?? "the runner cannot read it";
  const signal = status % 128;
  if (signal !== 0) return `ended by signal ${signal}`;
  if (status !== 0) return `ended with status ${status >> 8}`;
  return broken;
}

const SIGKILL = 9;

function runOf(how: string, status: number, { broken, lines }: Reading): GuestRun {
  // A line that was cut off by the kill is no fault of the script's.
  if (how === "status" && status % 128 === SIGKILL) return { outcome: "killed", lines };
  const why = failureOf(how, status, broken);
  return why === undefined ? { outcome: "ran", lines } : { outcome: "failed", why, lines };
}

function readMark(r: Reading, words: readonly string[], rest: string): void {
  const [what, name = "", how = "", status = "0"] = words;
  if (what === "kernel") r.kernel = JSON.parse(rest) as GuestKernel;
  else if (what === "begin") {
    r.unfinished = name;
    r.lines = [];
    r.broken = undefined;
  } else if (what === "end") {
    r.runs.set(name, runOf(how, Number(status), r));
    r.unfinished = undefined;
  } else if (what === "refused") r.refused = rest;
  else if (what === "over") r.over = true;
}

function readResult(r: Reading, text: string): void {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    r.broken ??= `its output is cut off: ${text.slice(0, 60)}`;
    return;
  }
  const error = (line as { error?: string }).error;
  if (error !== undefined) r.broken = error;
  else r.lines.push(line as ScriptLine);
}

/** Takes the console's text apart. `mark` is the word that begins the runner's own lines. */
export function readGuestOutput(text: string, mark: string): GuestOutput {
  const r: Reading = {
    kernel: undefined,
    runs: new Map(),
    unfinished: undefined,
    over: false,
    refused: undefined,
    messages: [],
    lines: [],
    broken: undefined,
  };
  // Under load QEMU's serial line may hand over NULs in front of what was said.
  for (const line of text.replaceAll("\0", "").split(/\r?\n/)) {
    // A kernel message may stand in front of a mark, on the same line.
    const at = line.indexOf(mark + " ");
    if (at >= 0) {
      if (at > 0) r.messages.push(line.slice(0, at));
      const words = line.slice(at + mark.length + 1).split(" ");
      readMark(r, words, words.slice(1).join(" "));
    } else if (r.unfinished !== undefined && line.startsWith("{")) readResult(r, line);
    else if (line.trim() !== "") r.messages.push(line);
  }
  const { kernel, runs, unfinished, over, refused, messages } = r;
  return { kernel, runs, unfinished, over, refused, messages };
}
