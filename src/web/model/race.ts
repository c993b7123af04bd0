/** A race as `pagewise check --json` tells it (its `story`), and the state of the little machine over it. */
import { UserError } from "../../lib/assert.ts";

export interface RaceStep {
  /** Index into `actors`. */
  readonly actor: number;
  /** The kernel's function and ours; empty when the step touched nothing. */
  readonly where: string;
  /** "+ptl0", "−ptl0". */
  readonly locks: readonly string[];
  /** "PMD 0: HINT set", "frame 0: references 1 → 2", … */
  readonly changes: readonly string[];
}

export interface Race {
  readonly scenario: string;
  readonly form: string;
  /** What is wrong at the end; empty when nothing is. */
  readonly what: string;
  readonly schedule: readonly number[];
  readonly actors: readonly { readonly name: string; readonly cpu: number }[];
  readonly steps: readonly RaceStep[];
}

type Plain = Readonly<Record<string, unknown>>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

function readActors(value: unknown): { name: string; cpu: number }[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isPlain).map(({ name, cpu }) => ({ name: String(name), cpu: Number(cpu) }));
}

function readStory(story: Plain, file: string): Race {
  const actors = readActors(story.actors);
  const list = Array.isArray(story.steps) ? story.steps.filter(isPlain) : [];
  if (actors.length === 0 || list.length === 0) {
    throw new UserError("its story has no actors or no steps: it was cut or changed", { file });
  }
  const steps = list.map((step, i): RaceStep => {
    const actor = actors.findIndex(({ name }) => name === step.actor);
    if (actor < 0) throw new UserError(`step ${i + 1} is of nobody in 'actors'`, { file });
    return {
      actor,
      where: typeof step.where === "string" ? step.where : "",
      locks: texts(step.locks),
      changes: texts(step.changes),
    };
  });
  return {
    scenario: String(story.scenario ?? ""),
    form: String(story.form ?? ""),
    what: typeof story.what === "string" ? story.what : "",
    schedule: texts(story.schedule).map(Number),
    actors,
    steps,
  };
}

/**
 * Reads the output of `check --json`; undefined when the text is something else. Throws `UserError` for an
 * output that draws nothing.
 */
export function readRace(text: string, file: string): Race | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isPlain(value) || !("verdicts" in value || "story" in value)) return undefined;
  if (isPlain(value.story)) return readStory(value.story, file);
  throw new UserError(
    "it tells no race: every schedule held. Name a form that breaks, or a --schedule to look at",
    { file },
  );
}

/** A schedule as the command line takes it: `0*3.1` for 0.0.0.1. */
export function printSchedule(schedule: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < schedule.length; ) {
    let end = i;
    while (end < schedule.length && schedule[end] === schedule[i]) end++;
    parts.push(end - i > 1 ? `${schedule[i]}*${end - i}` : String(schedule[i]));
    i = end;
  }
  return parts.join(".");
}

/** Ways in which a change is told, and what of it is the place and what the value. */
const TELLINGS: readonly (readonly [RegExp, (found: RegExpExecArray) => readonly [string, string]])[] = [
  [/^(.+): (\D.*?) \S+ → (\S+)$/, ([, place, of, now]) => [`${place} ${of}`, now!]],
  [/^(.+): (\S+) → (\S+)$/, ([, place, , now]) => [place!, now!]],
  [/^(.+) holds (.+), it held .+$/, ([, place, now]) => [`${place} holds`, now!]],
  [/^(.+): points at (\S+), not at .+$/, ([, place, now]) => [`${place} points at`, now!]],
  [/^the (TLB of CPU \d+) remembers (page \S+) → (.+)$/, ([, tlb, page, now]) => [`${tlb}, ${page}`, now!]],
];

function applyFlags(state: Map<string, string>, place: string, changes: string): void {
  const key = `${place} flags`;
  const flags = new Set((state.get(key) ?? "").split(" ").filter((flag) => flag !== ""));
  for (const change of changes.split(", ")) {
    const [flag, what] = change.split(" ") as [string, string | undefined];
    if (what === "set") flags.add(flag);
    else flags.delete(flag);
  }
  state.set(key, flags.size === 0 ? "none" : [...flags].join(" "));
}

function applyChange(state: Map<string, string>, change: string): void {
  const forgets = /^the (TLB of CPU \d+) forgets page (.+)$/.exec(change);
  if (forgets !== null) {
    for (const page of forgets[2]!.split(", ")) state.set(`${forgets[1]}, page ${page}`, "forgotten");
    return;
  }
  for (const [pattern, read] of TELLINGS) {
    const found = pattern.exec(change);
    if (found === null) continue;
    const [place, now] = read(found);
    state.set(place, now);
    return;
  }
  const flags = /^(.+?): ((?:\S+ (?:set|cleared)(?:, )?)+)$/.exec(change);
  if (flags !== null) applyFlags(state, flags[1]!, flags[2]!);
  else state.set(change, "yes");
}

/** What is known of the machine after a step: locks, entries, frames, TLBs, as the steps told of them. */
export function machineAfter({ steps, actors }: Race, at: number): Map<string, string> {
  const state = new Map<string, string>();
  for (const { actor, locks, changes } of steps.slice(0, at + 1)) {
    for (const each of locks) {
      const key = `lock ${each.slice(1)}`;
      if (each.startsWith("+")) state.set(key, `held by ${actors[actor]!.name}`);
      else state.set(key, "free");
    }
    for (const change of changes) applyChange(state, change);
  }
  return state;
}

/** The machine as people look for things in it; values that the step changed are marked. */
export interface MachineNow {
  /** Locks that somebody holds, and who. */
  readonly locks: readonly Fact[];
  /** Entries, and whatever is no lock, frame or TLB. */
  readonly entries: readonly Fact[];
  readonly frames: readonly FrameNow[];
  readonly tlbs: readonly Fact[];
}

export interface Fact {
  readonly name: string;
  readonly value: string;
  readonly changed: boolean;
}

/** A frame's references, the number of the write that it holds, its flags: as far as steps told of them. */
export interface FrameNow {
  readonly frame: number;
  readonly facts: ReadonlyMap<FrameColumn, Fact>;
}

export const FRAME_COLUMNS = ["references", "holds", "flags"] as const;
export type FrameColumn = (typeof FRAME_COLUMNS)[number];

export function groupedMachine(race: Race, at: number): MachineNow {
  const before = machineAfter(race, at - 1);
  const frames = new Map<number, Map<FrameColumn, Fact>>();
  const now = { locks: [] as Fact[], entries: [] as Fact[], tlbs: [] as Fact[] };
  for (const [name, value] of machineAfter(race, at)) {
    const fact = { name, value, changed: before.get(name) !== value };
    const frame = /^frame (\d+) (references|holds|flags)$/.exec(name);
    if (frame !== null) {
      const number = Number(frame[1]);
      const facts = frames.get(number) ?? new Map<FrameColumn, Fact>();
      frames.set(number, facts.set(frame[2] as FrameColumn, fact));
    } else if (name.startsWith("lock ")) {
      const held = value !== "free";
      if (held) now.locks.push({ ...fact, name: name.slice(5), value: value.replace("held by ", "") });
    } else if (name.startsWith("TLB of CPU")) now.tlbs.push({ ...fact, name: name.slice(7) });
    else now.entries.push(fact);
  }
  now.tlbs.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const inOrder = [...frames].sort(([a], [b]) => a - b);
  return { ...now, frames: inOrder.map(([frame, facts]) => ({ frame, facts })) };
}

/** A step in one line. */
export function stepLine({ where, locks, changes }: RaceStep): string {
  const parts = [where, locks.join(" "), changes.join("; ")].filter((part) => part !== "");
  return parts.length === 0 ? "goes on" : parts.join("  ·  ");
}
