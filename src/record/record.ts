/**
 * Records: starts the source and the program, stores what comes while it comes, and ends with the program.
 *
 *     source.start ──▶ store opened ──▶ program let go ──▶ text ──▶ importer ──▶ store
 *                                            │ ends, or ^C, or time is over ──▶ stop ──▶ rest of the text
 */
import { UserError } from "../lib/assert.ts";
import { makeImporter } from "../workloads/import/detect.ts";
import type { ImportSummary } from "../workloads/import/importer.ts";
import type { RecordingFacts, TraceHeader } from "../workloads/records.ts";
import type { RecordingEnd, TraceTotals } from "../workloads/trace/format.ts";
import { kernelRelease, machineLine, readHost, thpMode } from "./host-facts.ts";
import { type Ended, exitStatusOf } from "./launcher.ts";
import type { Capture, Source, Subject } from "./source.ts";
import type { TraceFile } from "./trace-file.ts";

export interface RecordOptions {
  readonly source: Source;
  readonly subject: Subject;
  /** Ends the recording after so long. */
  readonly forMs?: number;
  readonly openFile: () => TraceFile;
  /** Hears what the source does to the program, before it begins. */
  readonly remark?: (what: string) => void;
}

export interface Recorded {
  readonly summary: ImportSummary;
  readonly totals: TraceTotals;
  readonly bytes: number;
  /** The program's end; undefined for one that goes on. */
  readonly ended: Ended | undefined;
  readonly wallS: number;
  /** What went wrong without ending the recording. */
  readonly troubles: readonly string[];
}

/** THP setting under which the subject's memory was recorded. */
export function recordedUnder(subject: Subject): string {
  if (subject.hugePagesOff) return "never";
  const isOff = /^THP_enabled:\s*0$/m.test(readHost(`/proc/${subject.pid ?? "self"}/status`) ?? "");
  return isOff ? "never" : (thpMode() ?? "never");
}

/** Of a process that ran before: see `already-there.ts`. */
const STARTED_BEFORE =
  "what the process did before: its mappings and pages stand at the start, as if made at that moment";

function headerOf({ source, subject }: RecordOptions): Partial<TraceHeader> {
  const command =
    subject.pid === undefined
      ? subject.program
      : (readHost(`/proc/${subject.pid}/cmdline`) ?? "").split("\0").filter((word) => word !== "");
  const recording: RecordingFacts = {
    command,
    ...(subject.pid === undefined ? {} : { pid: subject.pid }),
    tool: source.tool(),
    machine: machineLine(),
    kernel: kernelRelease(),
    misses: subject.pid === undefined ? source.misses : [STARTED_BEFORE, ...source.misses],
  };
  const name = command[0]?.slice(command[0].lastIndexOf("/") + 1) ?? `process ${subject.pid}`;
  return {
    program: [name, ...command.slice(1)].join(" ").slice(0, 200),
    recordedUnder: recordedUnder(subject),
    recording,
  };
}

/** Signals that end a recording: the program gets them too, and what was recorded until then is kept. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ends the recording when it is time; answers with what undoes the waiting. */
function endInTime(capture: Capture, forMs: number | undefined): () => void {
  const { launched } = capture;
  const timer = forMs === undefined ? undefined : setTimeout(() => capture.stop(), forMs);
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  let asked = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    asked++;
    if (launched === undefined) capture.stop();
    // A terminal has given ^C to the program already; who asks three times means it.
    else if (asked >= 3) launched.signal("SIGKILL");
    else if (signal !== "SIGINT" || !hasTerminal || asked > 1) launched.signal(signal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  launched?.ended.then(
    () => capture.stop(),
    () => capture.stop(),
  );
  return () => {
    clearTimeout(timer);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

/** Records from start to end. Throws `UserError` when nothing was recorded; the file is then not there. */
export async function record(options: RecordOptions): Promise<Recorded> {
  const capture = await options.source.start(options.subject);
  let undo = (): void => {};
  let file: TraceFile | undefined;
  try {
    file = options.openFile();
    for (const what of capture.remarks ?? []) options.remark?.(what);
    undo = endInTime(capture, options.forMs);
    const startedMs = performance.now();
    capture.launched?.go();
    const summary = await store(capture, options, file);
    const wallS = (performance.now() - startedMs) / 1000;
    const ended = await capture.launched?.ended;
    const end: RecordingEnd = { wallS: ended?.usage.wallS ?? wallS, ...endFacts(ended) };
    const totals = file.end(end);
    const troubles = [...(file.failure === undefined ? [] : [file.failure])];
    return { summary, totals, bytes: file.bytes(), ended, wallS, troubles };
  } catch (error) {
    file?.drop();
    capture.launched?.signal("SIGKILL");
    throw error;
  } finally {
    undo();
    await capture.close();
  }
}

function endFacts(ended: Ended | undefined): Partial<RecordingEnd> {
  if (ended === undefined) return {};
  const { code, signal, usage } = ended;
  return {
    cpuS: usage.userS + usage.systemS,
    exitStatus: exitStatusOf(ended),
    ...(code === undefined && signal !== undefined ? { signal } : {}),
  };
}

/** What is older than this is on the disk, should the recorder be killed. */
const FLUSH_MS = 1000;

async function store(capture: Capture, options: RecordOptions, file: TraceFile): Promise<ImportSummary> {
  const said = headerOf(options);
  file.sink.describe(said);
  // What is known of the whole stands, whatever the importer concludes.
  const sink = {
    ...file.sink,
    describe: (header: Partial<TraceHeader>) => file.sink.describe({ ...header, ...said }),
  };
  const importer = makeImporter(options.source.format, sink);
  const timer = setInterval(() => file.flush(), FLUSH_MS);
  try {
    for await (const piece of capture.text) importer.push(piece);
  } finally {
    clearInterval(timer);
  }
  // A program that could not be started is the reason for whatever else went wrong.
  await capture.launched?.ended;
  try {
    return importer.end();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const last = capture.complaints().at(-1);
    throw new UserError(`nothing was recorded${last === undefined ? "" : `: ${last}`}`);
  }
}
