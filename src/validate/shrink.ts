/**
 * The shortest script that still disagrees. A round proposes every script with some part left out, all at
 * once, because asking the real kernel costs a boot however many scripts it carries; the shortest one that
 * still disagrees begins the next round, until none does.
 */
import { UserError } from "../lib/assert.ts";
import type { Script, Statement } from "../workloads/script/ast.ts";
import { parseScript } from "../workloads/script/parse.ts";
import { printScript } from "../workloads/script/print.ts";

type Body = readonly Statement[];

/** The body without the statements from..to. */
const without = (body: Body, from: number, to: number): Body => [...body.slice(0, from), ...body.slice(to)];

/** Every body with a half, a quarter, … one statement left out; longest cuts first. */
function shorterBodies(body: Body): Body[] {
  const all: Body[] = [];
  for (let size = Math.ceil(body.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < body.length; from += size)
      all.push(without(body, from, Math.min(body.length, from + size)));
  }
  return all;
}

/** Every body in which one block is shorter, or gives way to what it holds. */
function simplerBlocks(body: Body): Body[] {
  return body.flatMap((statement, at) => {
    if (!("body" in statement)) return [];
    const put = (instead: Body): Body => [...body.slice(0, at), ...instead, ...body.slice(at + 1)];
    const inside = shorterBodies(statement.body).map((shorter) => put([{ ...statement, body: shorter }]));
    const task = statement.op === "fork" || statement.op === "thread" ? statement.name : undefined;
    const instead = put(statement.body).filter((each) => each.op !== "join" || each.name !== task);
    return [instead, ...inside];
  });
}

/** How many tasks nobody waits for: what comes behind them then depends on how fast they are. */
function unawaited(body: Body): number {
  return body.reduce((count, each, at) => {
    const inside = "body" in each ? unawaited(each.body) : 0;
    if (each.op !== "fork" && each.op !== "thread") return count + inside;
    const joined = body.slice(at).some((later) => later.op === "join" && later.name === each.name);
    return count + inside + (joined ? 0 : 1);
  }, 0);
}

/** Every body without one task: its fork or thread and its join go together. */
function withoutTasks(body: Body): Body[] {
  return body.flatMap((statement) => {
    if (statement.op !== "fork" && statement.op !== "thread") return [];
    const { name } = statement;
    return [body.filter((each) => !((each.op === statement.op || each.op === "join") && each.name === name))];
  });
}

/** Every body without one region and all that is done to it. */
function withoutRegions(body: Body): Body[] {
  const names = new Set(body.flatMap((each) => (each.op === "map" ? [each.region] : [])));
  const strip = (each: Statement, name: string): Statement[] => {
    if ("region" in each && each.region === name) return [];
    return "body" in each ? [{ ...each, body: each.body.flatMap((inner) => strip(inner, name)) }] : [each];
  };
  return [...names].map((name) => body.flatMap((each) => strip(each, name)));
}

function candidatesOf(script: Script): Script[] {
  const bodies = [
    ...withoutRegions(script.body),
    ...withoutTasks(script.body),
    ...shorterBodies(script.body),
    ...simplerBlocks(script.body),
  ];
  const settings = script.settings.map((_, at) => script.settings.filter((__, index) => index !== at));
  return [
    ...bodies.map((body) => ({ ...script, body })),
    ...settings.map((fewer) => ({ ...script, settings: fewer })),
  ];
}

/** The script as its text would be read; undefined when the language refuses it. */
function valid(script: Script): Script | undefined {
  try {
    return parseScript(printScript(script), script.file);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Shorter scripts of one round, shortest first, each once. */
export function proposals(script: Script): Script[] {
  const own = printScript(script);
  const byText = new Map<string, Script>();
  const left = unawaited(script.body);
  for (const candidate of candidatesOf(script)) {
    if (unawaited(candidate.body) > left) continue;
    const text = printScript(candidate);
    if (text.length >= own.length || byText.has(text)) continue;
    const read = valid(candidate);
    if (read !== undefined) byText.set(text, read);
  }
  return [...byText.entries()]
    .sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1))
    .map(([, read]) => read);
}

/** The body up to a snapshot of the outermost level, with no other snapshot. */
function upTo(body: Body, label: string): Body {
  const at = body.findIndex((each) => each.op === "snapshot" && each.label === label);
  return at < 0
    ? body
    : body.slice(0, at + 1).filter((each, index) => each.op !== "snapshot" || index === at);
}

export interface ShrinkOptions {
  /** Answers for each script whether model and kernel still disagree on it. */
  readonly disagree: (scripts: readonly Script[]) => Promise<readonly boolean[]>;
  /** How often `disagree` is asked at most. */
  readonly roundsMax: number;
  /** Where the disagreement first shows: what comes behind it can hardly matter, nor snapshots before it. */
  readonly firstSnapshot: string | undefined;
}

export async function shrink(script: Script, o: ShrinkOptions): Promise<Script> {
  let best = script;
  for (let round = 0; round < o.roundsMax; round++) {
    const cut =
      round === 0 && o.firstSnapshot !== undefined
        ? { ...best, body: upTo(best.body, o.firstSnapshot) }
        : best;
    const scripts = cut === best ? proposals(best) : [...proposals(cut), cut, ...proposals(best)];
    if (scripts.length === 0) break;
    const answers = await o.disagree(scripts);
    const next = scripts.find((_, index) => answers[index]);
    if (next === undefined) break;
    best = next;
  }
  return best;
}
