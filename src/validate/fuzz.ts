/**
 * Differential fuzzing: random scripts both ways, a boot for each batch. What disagrees is given more time,
 * if time matters to it, and run again in a fresh boot: a kernel that gives another answer there is itself
 * not deterministic; what stays is shrunk.
 */
import type { Generation } from "../generations/generation.ts";
import type { Script } from "../workloads/script/ast.ts";
import { parseScript } from "../workloads/script/parse.ts";
import { printScript } from "../workloads/script/print.ts";
import { compareRuns, LIVE } from "./compare.ts";
import { type FuzzKind, generateScript } from "./generate.ts";
import type { GuestResult, GuestScript } from "./guest.ts";
import type { GuestRun } from "./guest-output.ts";
import { withMoreTime } from "./more-time.ts";
import { shrink } from "./shrink.ts";
import { judge, type Verdict } from "./verdict.ts";

export interface FuzzOptions {
  readonly kind: FuzzKind;
  /** The first script has this seed, the next one this + 1, … */
  readonly seed: number;
  readonly count: number;
  readonly generation: Generation;
  readonly run: (scripts: readonly GuestScript[], label: string) => Promise<GuestResult>;
  readonly batch: number;
  readonly shrinkRoundsMax: number;
  /**
   * So many disagreements are shrunk; the others are told as they are. One cause mostly shows in many
   * scripts.
   */
  readonly shrinkMax: number;
  readonly onBatch: (done: number, result: GuestResult) => void;
  /** Told at once: a long run that is interrupted has not been in vain. */
  readonly onDisagreement: (disagreement: Disagreement) => void;
}

/** A script on which the two disagree. */
export interface Disagreement {
  readonly seed: number;
  readonly script: Script;
  readonly verdict: Verdict;
  readonly shrunken: Script;
  readonly shrunkenVerdict: Verdict;
}

export interface FuzzResult {
  readonly agreed: number;
  /** Disagreed at first, and agree with more time: the kernel was not through. */
  readonly late: readonly number[];
  readonly disagreements: readonly Disagreement[];
  /** The kernel gave two answers in two boots. */
  readonly unsteady: readonly number[];
  readonly notRun: readonly { readonly seed: number; readonly why: string }[];
}

/** As the guest reads it: printed and parsed, so that lines in failed calls are the same on both sides. */
function guestScript(script: Script): GuestScript {
  const text = printScript(script);
  return { script: parseScript(text, script.file), text };
}

const disagrees = ({ kind }: Verdict): boolean => kind === "differs" || kind === "model-failed";

/** True if the kernel gave the same answer twice, as closely as model and kernel are compared. */
function steady(script: Script, first: GuestRun, second: GuestRun): boolean {
  if (first.outcome === "failed" || second.outcome !== first.outcome) return false;
  return compareRuns(script, first.lines, second.lines, LIVE).agrees;
}

interface Suspect {
  readonly seed: number;
  readonly script: Script;
  readonly run: GuestRun;
  readonly verdict: Verdict;
}

async function shrinkOne(suspect: Suspect, o: FuzzOptions): Promise<Disagreement> {
  const ask = async (scripts: readonly Script[]): Promise<boolean[]> => {
    const given = scripts.map(guestScript);
    const { runs } = await o.run(given, `seed ${suspect.seed}, shrinking: `);
    return given.map(({ script }, index) => disagrees(judge(script, o.generation, runs[index]!)));
  };
  const { verdict } = suspect;
  const rows = verdict.kind === "differs" ? verdict.comparison.rows : [];
  const firstSnapshot = rows.find(({ agrees }) => !agrees)?.snapshot;
  const shrunken = await shrink(suspect.script, {
    disagree: ask,
    roundsMax: o.shrinkRoundsMax,
    firstSnapshot,
  });
  const again = guestScript(shrunken);
  const { runs } = await o.run([again], `seed ${suspect.seed}, shrunken: `);
  const shrunkenVerdict = judge(again.script, o.generation, runs[0]!);
  const { seed, script } = suspect;
  return { seed, script, verdict, shrunken: again.script, shrunkenVerdict };
}

/** One batch: answers with what disagrees, and sorts the rest. */
async function runBatch(
  seeds: readonly number[],
  o: FuzzOptions,
  found: { agreed: number; notRun: { seed: number; why: string }[] },
): Promise<{ suspects: Suspect[]; result: GuestResult }> {
  const scripts = seeds.map((seed) => guestScript(generateScript(o.kind, seed, `${o.kind}-${seed}.pw`)));
  const result = await o.run(scripts, "");
  const suspects: Suspect[] = [];
  scripts.forEach(({ script }, index) => {
    const run = result.runs[index]!;
    const seed = seeds[index]!;
    const verdict = judge(script, o.generation, run);
    if (verdict.kind === "not-run") found.notRun.push({ seed, why: verdict.why });
    else if (verdict.kind === "agrees") found.agreed++;
    else suspects.push({ seed, script, run, verdict });
  });
  return { suspects, result };
}

/** Gives more time to those that it matters to. Answers with what disagrees still, as it was run last. */
async function giveTime(suspects: readonly Suspect[], o: FuzzOptions, late: number[]): Promise<Suspect[]> {
  const longer = suspects.map(({ script }) => withMoreTime(script));
  const given = longer.flatMap((script) => (script === undefined ? [] : [guestScript(script)]));
  if (given.length === 0) return [...suspects];
  const { runs } = await o.run(given, "with more time: ");
  let next = 0;
  return suspects.flatMap((suspect, index): Suspect[] => {
    if (longer[index] === undefined) return [suspect];
    const { script } = given[next]!;
    const run = runs[next++]!;
    const verdict = judge(script, o.generation, run);
    if (verdict.kind === "agrees") late.push(suspect.seed);
    return verdict.kind === "agrees" ? [] : [{ ...suspect, script, run, verdict }];
  });
}

export async function fuzz(o: FuzzOptions): Promise<FuzzResult> {
  const found = { agreed: 0, notRun: [] as { seed: number; why: string }[] };
  const unsteady: number[] = [];
  const late: number[] = [];
  const disagreements: Disagreement[] = [];
  for (let done = 0; done < o.count; done += o.batch) {
    const seeds = Array.from({ length: Math.min(o.batch, o.count - done) }, (_, i) => o.seed + done + i);
    const batch = await runBatch(seeds, o, found);
    o.onBatch(done + seeds.length, batch.result);
    const suspects = batch.suspects.length === 0 ? [] : await giveTime(batch.suspects, o, late);
    if (suspects.length === 0) continue;
    const again = await o.run(
      suspects.map(({ script }) => guestScript(script)),
      "a second boot: ",
    );
    for (const [index, suspect] of suspects.entries()) {
      if (!steady(suspect.script, suspect.run, again.runs[index]!)) {
        unsteady.push(suspect.seed);
        continue;
      }
      const found: Disagreement =
        disagreements.length < o.shrinkMax
          ? await shrinkOne(suspect, o)
          : { ...suspect, shrunken: suspect.script, shrunkenVerdict: suspect.verdict };
      disagreements.push(found);
      o.onDisagreement(found);
    }
  }
  return { agreed: found.agreed, late, disagreements, unsteady, notRun: found.notRun };
}
