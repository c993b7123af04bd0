/**
 * Replays a trace: its order is the law, its times become simulated time.
 *
 *     item (batch or event) ──▶ its thread's runner ──▶ path to its end ──▶ next item
 *                                  daemons run in between, when their time has come
 *
 * Items are carried out one after the other, as the trace has them; no item starts before the one in front of
 * it in the trace has started. Between two items of a thread lies the time that the program computed: the
 * recorded time less what the recorded fault cost.
 */
import type { Path } from "../core/ops.ts";
import { S_NS } from "../core/units.ts";
import { makeMm } from "../kernel/mm/mm.ts";
import { numaTaskMoved } from "../kernel/numa/life.ts";
import { makeNumaTask } from "../kernel/numa/state.ts";
import { isBatch, type RefBatch, type TraceEvent, type TraceReader } from "../workloads/records.ts";
import { oneCpu } from "./cpu-range.ts";
import { enlist, restart, runUntil } from "./driver.ts";
import { runBatch } from "./replay-batch.ts";
import { runEvent } from "./replay-event.ts";
import { makeReplay, type Replay, type ReplayProcess, type ReplayThread } from "./replay-state.ts";
import type { Session } from "./session.ts";

export interface ReplayOptions {
  /** Told from time to time how far the replay is, and how many records that were. */
  readonly onProgress?: ((text: string, records: number) => void) | undefined;
}

/** Items between two words of progress. */
const PROGRESS_ITEMS = 4096;

/** Replays the whole trace, then ends every process that still lives. */
export function replayTrace(session: Session, trace: TraceReader, options: ReplayOptions): void {
  const replay = makeReplay(session, trace);
  let items = 0;
  let records = 0;
  for (let item = trace.next(); item !== undefined && session.outcome === "finished"; item = trace.next()) {
    const thread = threadOf(replay, item.thread);
    if (thread.ended) continue;
    records += isBatch(item) ? item.length : 1;
    perform(replay, thread, item);
    if (++items % PROGRESS_ITEMS === 0) {
      options.onProgress?.(`${(session.d.nowNs / S_NS).toFixed(1)} s of simulated time`, records);
    }
  }
}

/** Carries one item out to its end, with whatever daemons do meanwhile. */
function perform(replay: Replay, thread: ReplayThread, item: RefBatch | TraceEvent): void {
  const { d } = replay.session;
  const { runner } = thread;
  const gapNs = takeGap(replay, thread, item);
  const arrivalNs = thread.readyNs + gapNs;
  const atNs = Math.max(arrivalNs, replay.orderNs, runner.clockNs);
  replay.orderNs = atNs;
  runner.mm = thread.process.mm;
  credit(replay, thread, gapNs);
  runner.cpu = thread.cpu;
  runner.wantedCpu = thread.cpu;
  runner.cpus = oneCpu(thread.cpu);
  const path = isBatch(item)
    ? runBatch(replay, thread, item)
    : runEvent(replay, thread, item, (child) => threadOf(replay, child));
  restart(d, runner, path, atNs);
  runUntil(d, () => runner.state === "done" || replay.session.outcome === "oom");
  thread.readyNs = runner.clockNs;
}

/**
 * Between two items a thread computes on its CPU, as far as the trace tells: that is CPU time, and ticks that
 * come in it find the thread running.
 */
function credit(replay: Replay, thread: ReplayThread, gapNs: number): void {
  const { k } = replay.session;
  const { task, cpu } = thread.runner;
  if (task === undefined) return;
  if (cpu !== thread.cpu) numaTaskMoved(k, task, cpu, thread.cpu);
  task.ranNs += gapNs;
  k.numa.running[thread.cpu] = task;
}

/**
 * Time between the thread's previous item and this one, in ns: the item arrives when it is over. In a batch,
 * that is the gap of its first record, which is taken out of it.
 */
function takeGap(replay: Replay, thread: ReplayThread, item: RefBatch | TraceEvent): number {
  if (!isBatch(item)) return Math.round((item.gap * thread.cursor.gapPs) / 1000);
  lessRecordedFaults(replay, item);
  if (item.length === 0) return 0;
  const gapNs = Math.round((item.gap[0]! * thread.cursor.gapPs) / 1000);
  item.gap[0] = 0;
  item.alike[1] = 0; // Its gap is its own again.
  return gapNs;
}

/** Gaps were recorded with the fault in front of them: what that cost is not computing. */
function lessRecordedFaults(replay: Replay, batch: RefBatch): void {
  const cost = replay.recordedFaultNs;
  if (cost === 0) return;
  for (let i = 0; i < batch.length; i++) batch.gap[i] = Math.max(0, batch.gap[i]! - cost);
}

/** The replay's side of a trace thread, made at its first item. */
function threadOf(replay: Replay, index: number): ReplayThread {
  const known = replay.threads[index];
  if (known !== undefined) return known;
  const { session, trace } = replay;
  const source = trace.threads[index]!;
  const process = processOf(replay, source.process, source.pid, source.name);
  const runner = enlist(session.d, {
    name: `${source.name} ${source.tid}`,
    mm: process.mm,
    task: makeNumaTask(session.k, process.mm),
    cpus: oneCpu(0),
    cpu: 0,
    atNs: replay.orderNs,
    path: nothing(),
  });
  const thread: ReplayThread = {
    index,
    process,
    runner,
    cpu: index % session.k.machine.cpus,
    readyNs: replay.orderNs,
    ended: false,
    cursor: replay.makeCursor(),
  };
  replay.threads[index] = thread;
  return thread;
}

function* nothing(): Path {}

function processOf(replay: Replay, index: number, pid: number, name: string): ReplayProcess {
  const known = replay.processes[index];
  if (known !== undefined) return known;
  const mm = makeMm(replay.session.k);
  mm.pid = pid;
  mm.name = name;
  // A trace of faults alone tells of file pages itself: each fault, and what the kernel counted as resident.
  mm.filePagesFromTrace = replay.trace.header.coverage === "faults";
  const process = { index, mm };
  replay.processes[index] = process;
  return process;
}
