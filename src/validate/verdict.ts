/**
 * Both sides of one script, and what comes of it. Only "agrees" is a pass: what was not run, or not compared,
 * is none.
 */
import type { ScriptLine } from "../engine/simulate.ts";
import type { Generation } from "../generations/generation.ts";
import { BrokenBelief, UserError } from "../lib/assert.ts";
import type { Script } from "../workloads/script/ast.ts";
import { claimRows } from "./claims.ts";
import { type Closeness, type Comparison, compareRuns, LIVE, type Row, someStatement } from "./compare.ts";
import type { GuestRun } from "./guest-output.ts";
import { type ModelRun, runModel } from "./model.ts";

const ENOMEM = 12;

export type Verdict =
  | { readonly kind: "agrees"; readonly comparison: Comparison }
  | { readonly kind: "differs"; readonly comparison: Comparison }
  /** The model broke one of its own beliefs, or refused what the kernel takes. */
  | { readonly kind: "model-failed"; readonly why: string }
  | { readonly kind: "not-run"; readonly why: string };

/** What the model prints for a script, and whether it ran out of memory; or why it prints nothing. */
export function modelRun(script: Script, generation: Generation): ModelRun | string {
  try {
    // Beliefs are checked behind every statement: too dear where a block goes round thousands of times.
    const verify = !someStatement(script.body, ({ op }) => op === "during");
    return runModel(script, { generation, hugeZeroAllocated: false, verify });
  } catch (error) {
    if (error instanceof BrokenBelief) return `the model broke a belief of its own: ${error.message}`;
    if (error instanceof UserError) return `the model refuses the script: ${error.message}`;
    throw error;
  }
}

/** A program that is killed has no time to say that a touch failed. */
function withoutLastWords({ lines, outcome }: ModelRun): readonly ScriptLine[] {
  if (outcome !== "oom") return lines;
  const last = lines.findLastIndex((line) => "errno" in line && line.errno === ENOMEM);
  return lines.filter((_, index) => index !== last);
}

/** Whether memory ran out: on neither side, which is no row, or on both, or on one. */
function endRow({ outcome }: ModelRun, guest: GuestRun): Row[] {
  const [model, kernel] = [outcome === "oom", guest.outcome === "killed"];
  if (!model && !kernel) return [];
  const text = (out: boolean): string => (out ? "out of memory" : "to the end");
  return [
    {
      ...{ snapshot: "the end", figure: "ran", model: text(model), kernel: text(kernel) },
      ...{ agrees: model === kernel, tolerance: 0, why: "a program that needs too much is killed" },
    },
  ];
}

/** What comes of a script that a live kernel ran, or did not. */
export function judge(
  script: Script,
  generation: Generation,
  guest: GuestRun,
  closeness: Closeness = LIVE,
): Verdict {
  if (guest.outcome === "failed") return { kind: "not-run", why: guest.why };
  const model = modelRun(script, generation);
  if (typeof model === "string") return { kind: "model-failed", why: model };
  const lines = withoutLastWords(model);
  const figures = [
    ...compareRuns(script, lines, guest.lines, closeness).rows,
    ...claimRows(script, lines, guest.lines, closeness),
  ];
  if (figures.length === 0)
    return { kind: "not-run", why: "nothing to compare: no snapshot, no expect line" };
  const rows = [...figures, ...endRow(model, guest)];
  const agrees = rows.every((row) => row.agrees);
  return { kind: agrees ? "agrees" : "differs", comparison: { rows, agrees } };
}
