/**
 * Names of a script: every region that is used is mapped somewhere, every joined child is started somewhere,
 * and a name does not stand for two things at once. What happens *when* (used before mapped, after unmapped)
 * is the run's business and comes out as an errno.
 */
import { UserError } from "../../lib/assert.ts";
import { didYouMean } from "../../lib/suggest.ts";
import type { Script, Statement } from "./ast.ts";

interface Names {
  /** Every region that some statement maps. */
  readonly regions: Set<string>;
  /** Every child and thread that some statement starts. */
  readonly tasks: Set<string>;
  readonly snapshots: Map<string, number[]>;
}

function collect(body: readonly Statement[], names: Names): void {
  for (const statement of body) {
    if (statement.op === "map") names.regions.add(statement.region);
    if (statement.op === "fork" || statement.op === "thread") names.tasks.add(statement.name);
    if (statement.op === "snapshot") {
      names.snapshots.set(statement.label, [...(names.snapshots.get(statement.label) ?? []), statement.line]);
    }
    if ("body" in statement) collect(statement.body, names);
  }
}

function missing(
  file: string,
  line: number,
  what: string,
  name: string,
  known: ReadonlySet<string>,
): UserError {
  const list = [...known];
  const there = list.length === 0 ? "none is" : `known: ${list.join(", ")}`;
  return new UserError(`${what} '${name}' (${there})${didYouMean(name, list)}`, { file, line });
}

function checkUses(file: string, body: readonly Statement[], names: Names): void {
  for (const statement of body) {
    if ("region" in statement && !names.regions.has(statement.region)) {
      throw missing(
        file,
        statement.line,
        "no 'map' statement maps a region",
        statement.region,
        names.regions,
      );
    }
    if (statement.op === "join" && !names.tasks.has(statement.name)) {
      throw missing(file, statement.line, "no 'fork' or 'thread' starts", statement.name, names.tasks);
    }
    if ("body" in statement) checkUses(file, statement.body, names);
  }
}

/** Names that are taken at this point of one process, with the line that took them. */
interface Taken {
  regions: Map<string, number>;
  tasks: Map<string, number>;
}

function taken(file: string, line: number, what: string, name: string, before: number): UserError {
  return new UserError(`expected a new name for this ${what}, found '${name}' of line ${before}`, {
    file,
    line,
  });
}

/**
 * Walks in the order of the text. A forked child has its own copy of the region names; a thread shares them.
 * Any `unmap` frees the name (several partial ones can empty a region), `join` that of the child.
 */
function checkTaken(file: string, body: readonly Statement[], now: Taken): void {
  for (const statement of body) {
    const { line } = statement;
    if (statement.op === "map") {
      const before = now.regions.get(statement.region);
      if (before !== undefined) throw taken(file, line, "region", statement.region, before);
      now.regions.set(statement.region, line);
    } else if (statement.op === "unmap") now.regions.delete(statement.region);
    else if (statement.op === "join") now.tasks.delete(statement.name);
    else if (statement.op === "fork" || statement.op === "thread") {
      const before = now.tasks.get(statement.name);
      if (before !== undefined) throw taken(file, line, statement.op, statement.name, before);
      now.tasks.set(statement.name, line);
      const forked = statement.op === "fork";
      const inside = forked ? { regions: new Map(now.regions), tasks: new Map<string, number>() } : now;
      checkTaken(file, statement.body, inside);
    } else if ("body" in statement) checkTaken(file, statement.body, now);
  }
}

function checkExpectations(script: Script, names: Names): void {
  const { file } = script;
  for (const { line, figure, snapshot } of script.expectations) {
    const dot = figure.indexOf(".");
    const region = dot === -1 ? undefined : figure.slice(0, dot);
    if (region !== undefined && !names.regions.has(region)) {
      throw missing(file, line, "no 'map' statement maps a region", region, names.regions);
    }
    const lines = names.snapshots.get(snapshot)!;
    if (lines.length > 1) {
      const message =
        `expected one snapshot '${snapshot}' to check against, found them at lines ` + `${lines.join(", ")}`;
      throw new UserError(message, { file, line });
    }
  }
}

/** Throws the first mistake in the script's names. */
export function checkNames(script: Script): void {
  const names: Names = { regions: new Set(), tasks: new Set(), snapshots: new Map() };
  collect(script.body, names);
  checkUses(script.file, script.body, names);
  checkTaken(script.file, script.body, { regions: new Map(), tasks: new Map() });
  checkExpectations(script, names);
}
