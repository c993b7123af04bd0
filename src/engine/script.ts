/**
 * Runs a script: every task is one path, statement by statement; what it prints is the `run --json` of the
 * language.
 */
import { COUNTER_NAMES } from "../core/counters.ts";
import { type Path, PREEMPT, sleepOp, WAIT } from "../core/ops.ts";
import { asNode, asVpn, PAGE_BYTES, US_NS, type Vpn } from "../core/units.ts";
import { ERRNO } from "../kernel/mm/errno.ts";
import { forkMm } from "../kernel/mm/fork.ts";
import { makeMm } from "../kernel/mm/mm.ts";
import { exitMm } from "../kernel/mm/munmap.ts";
import { findRow } from "../kernel/mm/page-table.ts";
import { leaveGroup } from "../kernel/numa/group.ts";
import { forkNumaTask } from "../kernel/numa/life.ts";
import { numaPolicy } from "../kernel/numa/policy.ts";
import { currentTask, makeNumaTask, type NumaTask } from "../kernel/numa/state.ts";
import { figuresOfRange } from "../kernel/proc/maps.ts";
import { spend } from "../kernel/state.ts";
import { assert } from "../lib/assert.ts";
import { recordHeat } from "../metrics/recorder.ts";
import type { Script, Statement } from "../workloads/script/ast.ts";
import type { RegionFigures } from "../workloads/script/expectations.ts";
import { type Touches, touchesOf } from "../workloads/script/touches.ts";
import { type CpuRange, everyCpu, oneCpu } from "./cpu-range.ts";
import { call, idleCpu, runUntil, spawn, stuckRunners, wake } from "./driver.ts";
import { afterReport, beforeReport, makeOwnPages, type OwnPages, ownFork } from "./own-pages.ts";
import { touchOne, touchRun } from "./references.ts";
import {
  callAdvise,
  callMap,
  callPin,
  callProtect,
  callRemap,
  callSplit,
  callThpDisable,
  callUnmap,
  callUnpin,
} from "./script-calls.ts";
import {
  countTry,
  fault,
  faultOutcome,
  noteFailedCall,
  returnToUser,
  type Session,
  verifyNow,
} from "./session.ts";
import { beginRound, endRound, isQuiet, makeSteady, othersNs, skipRounds } from "./steady.ts";
import { copyRegions, makeTask, type Task } from "./tasks.ts";

/** A line of `run --json`. */
export type ScriptLine =
  | {
      readonly snapshot: string;
      readonly vmstat: Readonly<Record<string, number>>;
      readonly maps: Readonly<Record<string, RegionFigures>>;
    }
  | { readonly errno: number; readonly op: string; readonly line: number }
  | { readonly elapsed_s: number };

interface ScriptRun {
  readonly session: Session;
  readonly own: OwnPages;
  readonly lines: ScriptLine[];
  /** Every task so far: a name may be used again while its first bearer still runs. */
  readonly tasks: Task[];
  /** The counters when the script began. */
  readonly startCounts: Float64Array;
}

/** From so many CPUs on, tasks that only touch memory may be that far ahead of each other. */
const MANY_CPUS = 32;
const QUANTUM_NS = 20_000;

/** Runs the script to its end, all its tasks included. Returns what it prints. */
export function runScript(session: Session, script: Script): ScriptLine[] {
  const { k, d } = session;
  if (k.machine.cpus >= MANY_CPUS) d.quantumNs = QUANTUM_NS;
  const run: ScriptRun = {
    session,
    own: makeOwnPages(),
    lines: [],
    tasks: [],
    startCounts: k.vmstat.slice(),
  };
  const main = makeTask("main", makeMm(k), new Map());
  main.mm.name = "main";
  let endNs = 0;
  start(
    run,
    main,
    { numa: makeNumaTask(k, main.mm), cpu: 0, cpus: everyCpu(k.machine), atNs: 0 },
    function* () {
      yield* runBody(run, main, script.body);
      endNs = k.nowNs;
    },
  );
  const everyDone = () => run.tasks.every((task) => task.finished);
  if (!runUntil(d, () => session.outcome === "oom" || everyDone())) {
    assert(everyDone(), "a script's tasks do not wait for ever: " + stuckRunners(d).join(", "));
  }
  run.lines.push({ elapsed_s: Math.round(endNs / 1e4) / 1e5 });
  return run.lines;
}

/** How a task comes to the world. */
interface Birth {
  readonly numa: NumaTask;
  readonly cpu: number;
  readonly cpus: CpuRange;
  readonly atNs: number;
}

/** Starts a task's runner; when its body ends, its address space goes with its last user. */
function start(run: ScriptRun, task: Task, birth: Birth, body: () => Path): void {
  const { cpu, atNs, cpus, numa } = birth;
  if (run.session.options.stacksOnFirstNode === true) numa.stackNode = asNode(0);
  run.tasks.push(task);
  const path = lifeOf(run, task, body);
  task.runner = spawn(run.session.d, { name: task.name, mm: task.mm, task: numa, cpus, cpu, atNs, path });
}

function* lifeOf(run: ScriptRun, task: Task, body: () => Path): Path {
  const { session } = run;
  yield call(session.d, body());
  leaveGroup(session.k, task.runner!.task!);
  task.mm.users -= 1;
  if (task.mm.users === 0) yield* exitMm(session.k, task.mm);
  task.finished = true;
  for (const joiner of task.joiners) wake(session.d, joiner.runner!, session.k.nowNs);
}

function* runBody(run: ScriptRun, task: Task, body: readonly Statement[]): Path {
  const { session } = run;
  for (const statement of body) {
    if (session.outcome === "oom") return;
    yield call(session.d, runStatement(run, task, statement));
    const error = session.d.returned as number;
    if (error < 0) {
      noteFailedCall(session, statement.op, error);
      run.lines.push({ errno: -error, op: statement.op, line: statement.line });
    }
    if (session.options.verify) verifyNow(session);
  }
}

/** The path of one statement; a negative answer is an errno to report. */
function runStatement(run: ScriptRun, task: Task, s: Statement): Path<number> {
  const { session } = run;
  switch (s.op) {
    case "map":
      return callMap(session, task, s);
    case "unmap":
      return callUnmap(session, task, s);
    case "remap":
      return callRemap(session, task, s);
    case "protect":
      return callProtect(session, task, s);
    case "advise":
      return callAdvise(session, task, s);
    case "pin":
      return callPin(session, task, s);
    case "unpin":
      return callUnpin(session, task, s);
    case "split":
      return callSplit(session, task, s);
    case "thp_disable":
      return callThpDisable(session, task, s);
    case "read":
    case "write":
      return touch(run, task, s);
    case "snapshot":
      return report(run, task, s.label);
    default:
      return runControl(run, task, s);
  }
}

// biome-ignore lint/correctness/useYield: a statement that has nothing to wait for
function* report(run: ScriptRun, task: Task, label: string): Path<number> {
  const { k } = run.session;
  beforeReport(run.own, k);
  run.lines.push(snapshot(run, task, label));
  afterReport(run.own, k);
  return 0;
}

type Control = Extract<
  Statement,
  { readonly op: "cpu" | "sleep" | "repeat" | "during" | "fork" | "thread" | "join" }
>;

/** Statements about tasks and time. */
function* runControl(run: ScriptRun, task: Task, s: Control): Path<number> {
  const { k, d } = run.session;
  switch (s.op) {
    case "cpu":
      if (s.cpu >= k.machine.cpus) return -ERRNO.EINVAL;
      task.pinnedCpu = s.cpu;
      task.runner!.wantedCpu = s.cpu;
      task.runner!.cpus = oneCpu(s.cpu);
      yield PREEMPT;
      return 0;
    case "sleep":
      yield sleepOp(s.ns);
      return 0;
    case "repeat":
      for (let i = 0; i < s.times; i++) yield call(d, runBody(run, task, s.body));
      return 0;
    case "during": {
      const startNs = k.nowNs;
      const steady = makeSteady(s.body, task.mm);
      const switches = () => d.cpus[k.cpu]!.switches;
      while (k.nowNs - startNs < s.ns && run.session.outcome !== "oom") {
        const roundNs = k.nowNs;
        const quietUntilNs = isQuiet(k, steady, switches())
          ? numaPolicy(k).quietUntilNs(k, currentTask(k)!)
          : 0;
        task.runner!.quietUntilNs = quietUntilNs;
        const limits = { endNs: startNs + s.ns, quietUntilNs, othersNs: othersNs(d) };
        if (quietUntilNs === 0 || !skipRounds(k, steady, limits)) {
          beginRound(k, steady, switches());
          yield call(d, runBody(run, task, s.body));
          endRound(k, steady, switches());
        }
        if (k.nowNs === roundNs) spend(k, US_NS);
        yield returnToUser(run.session);
      }
      task.runner!.quietUntilNs = 0;
      return 0;
    }
    case "fork":
    case "thread":
      yield* startChild(run, task, s);
      return 0;
    case "join": {
      const child = task.children.get(s.name);
      while (child !== undefined && !child.finished) {
        child.joiners.push(task);
        yield WAIT;
      }
      return 0;
    }
  }
}

function* startChild(
  run: ScriptRun,
  task: Task,
  s: Extract<Statement, { readonly op: "fork" | "thread" }>,
): Path {
  const { k, d } = run.session;
  const parent = task.runner!;
  const numa = forkNumaTask(k, parent.task!, s.op);
  let child: Task;
  if (s.op === "fork") {
    child = makeTask(s.name, yield* forkMm(k, task.mm), copyRegions(task.regions));
    ownFork(run.own, k, s.body);
  } else {
    spend(k, k.costs.syscallNs);
    task.mm.users += 1;
    child = makeTask(s.name, task.mm, task.regions, task.pins);
  }
  task.children.set(s.name, child);
  child.pinnedCpu = task.pinnedCpu;
  const cpu = child.pinnedCpu ?? idleCpu(d);
  const birth = { numa, cpu, cpus: parent.cpus, atNs: k.nowNs };
  start(run, child, birth, () => runBody(run, child, s.body));
  yield PREEMPT;
}

/** Touches pages in order. A touch that the kernel refuses ends the statement with EFAULT. */
function* touch(
  run: ScriptRun,
  task: Task,
  s: Extract<Statement, { readonly op: "read" | "write" }>,
): Path<number> {
  const region = task.regions.get(s.region);
  if (region === undefined) return -ERRNO.EFAULT;
  const { k, d } = run.session;
  const write = s.op === "write";
  const touches = touchesOf(s, region.pages * PAGE_BYTES);
  for (let offset = touches.next(); offset >= 0; offset = touches.next()) {
    const vpn = asVpn(region.start + Math.floor(offset / PAGE_BYTES));
    if (!touchIfMapped(run.session, task, vpn, write)) {
      for (let tries = 0; ; tries++) {
        countTry(tries);
        const startNs = k.nowNs;
        yield fault(run.session, task.mm, vpn, write);
        const outcome = faultOutcome(run.session, task.mm, startNs);
        if (outcome === "segv") return -ERRNO.EFAULT;
        if (outcome === "oom") return -ERRNO.ENOMEM;
        if (touchIfMapped(run.session, task, vpn, write)) break;
      }
    }
    if (
      touches.stepBytes >= PAGE_BYTES &&
      touches.stepBytes % PAGE_BYTES === 0 &&
      run.session.recorder === undefined
    )
      touchFollowing(run.session, task, vpn, touches, write);
    if (k.nowNs >= d.programLimitNs) yield returnToUser(run.session);
  }
  return 0;
}

function touchIfMapped(session: Session, task: Task, vpn: Vpn, write: boolean): boolean {
  const { k } = session;
  const row = findRow(k.pt, task.mm.directory, vpn);
  if (session.recorder !== undefined) recordHeat(session.recorder, task.mm, vpn, 1);
  return touchOne(k, k.cpu, row, vpn % k.geometry.pagesPerHuge, write);
}

/** Touches that follow one in the same row, without a look at the page table for each. */
function touchFollowing({ k, d }: Session, task: Task, vpn: Vpn, touches: Touches, write: boolean): void {
  const row = findRow(k.pt, task.mm.directory, vpn);
  const pageInRow = vpn % k.geometry.pagesPerHuge;
  const stepPages = touches.stepBytes / PAGE_BYTES;
  const left = touches.left();
  if (left > 0 && stepPages + pageInRow < k.geometry.pagesPerHuge)
    touches.skip(touchRun(k, row, pageInRow, stepPages, left, write, d.programLimitNs));
}

/** What counters moved by since the start, and the regions of the task that are mapped. */
function snapshot({ session, startCounts }: ScriptRun, task: Task, label: string): ScriptLine {
  const { k } = session;
  const vmstat: Record<string, number> = {};
  COUNTER_NAMES.forEach((name, index) => {
    const value = k.vmstat[index]! - startCounts[index]!;
    if (value !== 0) vmstat[name] = value;
  });
  const maps: Record<string, RegionFigures> = {};
  for (const region of task.regions.values()) {
    const figures = figuresOfRange(k, task.mm, region.start, region.start + region.pages);
    if (figures === undefined) continue;
    maps[region.name] = {
      rss_kb: figures.rssKb,
      anon_huge_kb: figures.anonHugeKb,
      anon_kb: figures.anonKb,
      swap_kb: figures.swapKb,
      node_pages: figures.nodePages,
    };
  }
  return { snapshot: label, vmstat, maps };
}
