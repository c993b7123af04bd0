/**
 * One schedule, told: what each step did, where in the code, with which locks. And how to find the shortest
 * schedule that shows a violation: fewest preemptions, then fewest steps.
 */
import { BrokenBelief, UserError } from "../lib/assert.ts";
import { explorePlainly, type Stage, stageRace } from "./check.ts";
import { type LockUse, type Runner, type Step, Violation } from "./runner.ts";
import type { Form, Race } from "./scenario.ts";
import type { Found } from "./search.ts";
import { tellChanges, type Written } from "./words.ts";

export interface StoryStep {
  readonly actor: string;
  readonly cpu: number;
  /** "do_huge_pmd_numa_page: faultHintHuge (hint.ts:108)", or "" when the step touched nothing. */
  readonly where: string;
  /** "+ptl0", "−ptl0 (read)". */
  readonly locks: readonly string[];
  readonly changes: readonly string[];
}

export interface Story {
  readonly scenario: string;
  readonly form: string;
  /** Undefined: nothing is wrong at the end. */
  readonly what: string | undefined;
  readonly schedule: readonly number[];
  readonly steps: readonly StoryStep[];
  readonly actors: readonly { readonly name: string; readonly cpu: number }[];
}

/** Runs a schedule and tells it. What the schedule leaves open is run without preemption. */
export function tell(race: Race, form: Form, schedule: readonly number[]): Story {
  const stage = stageRace(race, form, true);
  const { runner } = stage;
  stage.restart();
  runner.begin();
  const steps: StoryStep[] = [];
  const taken: number[] = [];
  let what: string | undefined;
  try {
    for (;;) {
      const actor = nextActor(runner, schedule, taken);
      if (actor < 0) break;
      taken.push(actor);
      tellStep(stage, actor, steps);
      const wrong = stage.afterStep?.();
      if (wrong !== undefined) throw new Violation(wrong);
    }
    what = runner.actors.some((_, i) => !runner.done(i)) ? "a deadlock: " + runner.stuck() : stage.atEnd();
  } catch (error) {
    if (!(error instanceof Violation || error instanceof BrokenBelief)) throw error;
    what = error.message;
  }
  if (what === undefined && taken.length < schedule.length)
    throw new UserError(
      `the schedule has ${schedule.length} steps; all actors are done after ${taken.length}`,
    );
  const actors = runner.actors.map(({ name, cpu }) => ({ name, cpu }));
  return { scenario: race.name, form: form.name, what, schedule: taken, steps, actors };
}

/** Runs one step, and tells it even if it goes wrong. */
function tellStep({ runner, rec, world }: Stage, actor: number, steps: StoryStep[]): void {
  const { name, cpu } = runner.actors[actor]!;
  const written = new Map<number, Written>();
  const stacks: string[][] = [];
  rec!.onWrite = (place, before, after) => {
    const known = written.get(place);
    if (known === undefined) written.set(place, { place: rec!.nameOf(place), before, after });
    else known.after = after;
  };
  rec!.onTouch = () => {
    stacks.push(kernelFrames());
  };
  const entered: string[] = [];
  world.k.onEnter = (kernelFunction) => {
    entered.push(kernelFunction);
  };
  let step: Step | undefined;
  try {
    step = runner.step(actor);
  } finally {
    const changes = tellChanges([...written.values()], world.k.machine.cpus, world.pages);
    const where = [...new Set(entered), commonFrame(stacks)].filter((each) => each !== "").join(": ");
    steps.push({ actor: name, cpu, where, locks: lockChanges(step), changes });
  }
}

function lockChanges(step: Step | undefined): string[] {
  if (step === undefined) return [];
  const { acquired, released } = step;
  const taken = acquired === undefined ? [] : ["+" + lockName(acquired)];
  return [...taken, ...released.map((use) => "−" + lockName(use))];
}

function lockName({ lock, mode }: LockUse): string {
  return lock.lockClass === "mmap_lock" && mode === "read" ? lock.name + " (read)" : lock.name;
}

/** The next actor of a schedule; −1 when nobody can go on. Throws when the schedule does not fit. */
function nextActor(runner: Runner, schedule: readonly number[], taken: readonly number[]): number {
  const step = taken.length;
  const wanted = schedule[step];
  const { actors } = runner;
  if (wanted !== undefined) {
    const place = `step ${step + 1} of the schedule names actor ${wanted}`;
    if (wanted >= actors.length) throw new UserError(`${place}; there are ${actors.length}, numbered from 0`);
    if (runner.done(wanted)) throw new UserError(`${place} (${actors[wanted]!.name}), which is done`);
    if (!runner.enabled(wanted)) throw new UserError(`${place}, which cannot go on: ${runner.stuck()}`);
    return wanted;
  }
  const last = taken[step - 1];
  if (last !== undefined && runner.enabled(last)) return last;
  return actors.findIndex((_, i) => runner.enabled(i));
}

/** Deeper than any path. */
const STACK_FRAMES = 60;

/** Where in the kernel's code we are: function, file and line, innermost first. */
function kernelFrames(): string[] {
  (Error as { stackTraceLimit?: number }).stackTraceLimit = STACK_FRAMES;
  const stack = new Error("where").stack ?? "";
  const kernel = framesIn(stack, /at ([\w.]+) \(.*\/kernel\/(?:.*\/)?([\w-]+\.[jt]s):(\d+):\d+\)/);
  // What a program or a device does by itself is an actor's.
  return kernel.length > 0
    ? kernel
    : framesIn(stack, /at ([\w.]+) \(.*\/explore\/((?:actors|world)\.[jt]s):(\d+):\d+\)/);
}

function framesIn(stack: string, pattern: RegExp): string[] {
  const found = stack.split("\n").map((line) => pattern.exec(line));
  return found.flatMap((at) => (at === null ? [] : [`${at[1]} (${placeInSource(at[2]!, at[3]!)})`]));
}

/** Compiled code has lines of its own: of these only the file is one of the sources. */
export function placeInSource(file: string, line: string): string {
  return file.endsWith(".js") ? file.replace(/js$/, "ts") : `${file}:${line}`;
}

/** The innermost function that all touches of the step happened in, at the line where it first was. */
function commonFrame(stacks: readonly string[][]): string {
  const told = stacks.filter((frames) => frames.length > 0);
  const first = told[0];
  if (first === undefined) return "";
  const nameOf = (frame: string) => frame.slice(0, frame.indexOf(" "));
  let common = "";
  for (let depth = 1; depth <= first.length; depth++) {
    const frame = first[first.length - depth]!;
    if (
      !told.every(
        (frames) => depth <= frames.length && nameOf(frames[frames.length - depth]!) === nameOf(frame),
      )
    )
      break;
    common = frame;
  }
  return common;
}

/** Schedules that the search for the shortest may run for each number of preemptions. */
const SHORTEN_SCHEDULES_MAX = 20_000;
const PREEMPTIONS_MAX = 4;

/** The same kind of violation with as few preemptions, and then steps, as can be found. */
export function shorten(race: Race, form: Form, found: Found, same: string): Found {
  for (let preemptionsMax = 0; preemptionsMax <= PREEMPTIONS_MAX; preemptionsMax++) {
    const outcome = explorePlainly(race, form, {
      preemptionsMax,
      schedulesMax: SHORTEN_SCHEDULES_MAX,
      stepsMax: Math.max(40, found.schedule.length * 2),
      shortest: true,
    });
    if (outcome.found?.what.includes(same) === true) return outcome.found;
  }
  return found;
}

/** "0.0.0.1" or "0*3.1": the actor of each step, repeated where it says so. */
export function parseSchedule(text: string): number[] {
  const schedule: number[] = [];
  for (const [at, part] of text.split(".").entries()) {
    const match = /^(\d)(?:\*([1-9]\d{0,3}))?$/.exec(part);
    if (match === null)
      throw new UserError(
        `part ${at + 1} of the schedule is '${part}'; expected an actor's number, or one with a count: 0*3`,
      );
    const count = match[2] === undefined ? 1 : Number(match[2]);
    for (let i = 0; i < count; i++) schedule.push(Number(match[1]));
  }
  return schedule;
}

/** The same, written shortly. What runs without preemption at the end is left out. */
export function printSchedule(schedule: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < schedule.length; ) {
    let count = 1;
    while (schedule[i + count] === schedule[i]) count++;
    parts.push(count === 1 ? String(schedule[i]) : `${schedule[i]}*${count}`);
    i += count;
  }
  return parts.join(".");
}
