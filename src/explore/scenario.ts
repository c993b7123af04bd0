/**
 * What a scenario is: a picture, actors, what must hold at the end, and the kernels it is told of.
 *
 *     race       every schedule of the actors, in each form: a violation that is named, or none
 *     cost       one schedule, in each form: figures that are counted
 *     elsewhere  what this model cannot express, and why
 */
import type { C } from "../core/counters.ts";
import type { Behaviours } from "../kernel/behaviours.ts";
import type { Actor } from "./runner.ts";
import type { World, WorldOptions } from "./world.ts";

/** One kernel's way of doing it: as posted, as reviewed, as merged. */
export interface Form {
  /** "F0", "as posted", "linux-6.1": what the table shows. */
  readonly name: string;
  readonly generation: string;
  /** Where it differs from its generation. */
  readonly behaviours?: Partial<Behaviours>;
}

export interface RaceForm extends Form {
  /** "holds", or words of the violation that must be found. */
  readonly expect: string;
}

export interface CostForm extends Form {
  /** The figures, by name. */
  readonly expect: Readonly<Record<string, number>>;
}

interface Common {
  readonly name: string;
  /** Entries of the review catalogue that it is: "C01". */
  readonly entries: readonly string[];
  readonly claim: string;
  /** Why all forms are told alike, where no form shows the fault or the cost. */
  readonly alike?: string;
}

export interface Race extends Common {
  readonly kind: "race";
  readonly world: WorldOptions;
  /** Before the actors start, on CPU 0. */
  readonly prepare?: (w: World) => void;
  readonly actors: (w: World) => readonly Actor[];
  /** Looked at after every step: a sentence when something is wrong. */
  readonly always?: (w: World) => string | undefined;
  /** Looked at when all are done, beside the kernel's beliefs and lost writes. */
  readonly atEnd?: (w: World, returned: (actor: number) => unknown) => string | undefined;
  /** Pages may be given back while they are written: then they may also hold nothing. */
  readonly mayVanish?: boolean;
  readonly forms: readonly RaceForm[];
}

export interface Cost extends Common {
  readonly kind: "cost";
  readonly world: WorldOptions;
  readonly prepare?: (w: World) => void;
  readonly actors: (w: World) => readonly Actor[];
  /** Counts, when all actors have run one after the other, against what the counters were before. */
  readonly count: (w: World, counted: Counted) => Readonly<Record<string, number>>;
  readonly forms: readonly CostForm[];
}

/** What a cost scenario can count by. */
export interface Counted {
  /** How far a counter of /proc/vmstat has moved. */
  readonly moved: (counter: keyof typeof C) => number;
  /** What an actor's path returned. */
  readonly returned: (actor: number) => unknown;
}

export interface Elsewhere extends Common {
  readonly kind: "elsewhere";
  /** Why it is not expressed here, in a sentence. */
  readonly why: string;
}

export type Scenario = Race | Cost | Elsewhere;
