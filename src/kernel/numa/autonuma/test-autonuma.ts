/**
 * A small program under AutoNUMA, in the form that a test asks for.
 *
 * Models:       nothing: a fixture.
 * Not modelled: time between the scanner's steps.
 */
import type { KnobSpec } from "../../../core/knobs.ts";
import { MS_NS, type Pfn } from "../../../core/units.ts";
import { AUTONUMA } from "../../../generations/autonuma.ts";
import { frameOf } from "../../buddy/test-kernel.ts";
import { AUTONUMA_28_KNOBS, AUTONUMA_KNOBS } from "../../proc/knob-list-2012.ts";
import type { Autonuma } from "../design.ts";
import { type Program, program } from "../early/test-program.ts";
import { enlist } from "./life.ts";
import { knumaScand } from "./scand.ts";

/** 19's form, with two of the review's wishes: so most tests want it. */
const FORM: Autonuma = {
  ...(AUTONUMA.behaviours.numaDesign as Autonuma),
  cancel: "if-queued",
  enqueue: "under-lock",
};

export interface Made extends Partial<Autonuma> {
  readonly huge?: boolean;
  readonly nodes?: number;
  readonly pages?: number;
  readonly knobs?: readonly KnobSpec[];
}

export function make(of: Made = {}): Program {
  const { huge = false, nodes: count = 3, pages = 8, knobs, ...form } = of;
  const p = program({
    design: { ...FORM, ...form },
    knobs: knobs ?? (form.migrate === "on-fault" ? AUTONUMA_28_KNOBS : AUTONUMA_KNOBS),
    huge,
    nodes: count,
    pages,
  });
  enlist(p.k, p.mm);
  return p;
}

/** Runs knuma_scand until it sleeps for that long: one pass of a short list. */
export function scanPass(p: Program): void {
  for (const op of knumaScand(p.k)) {
    p.k.nowNs += op.kind === "sleep" ? op.waitNs! : 0;
    if (op.kind === "sleep" && op.waitNs! > 1000 * MS_NS) return;
  }
}

export const page = (p: Program, i: number): Pfn => frameOf(p.k, p.mm, p.start + i);
