/**
 * `pagewise generations`: the kernels there are; one of them in full, and in what it differs from another.
 */
import type { Command } from "commander";
import { type KnobSpec, knobRange } from "../core/knobs.ts";
import { flatBehaviours, type Generation, generationDifferences } from "../generations/generation.ts";
import { GENERATIONS } from "../generations/index.ts";
import { policyNamed } from "../kernel/numa/policy.ts";
import { UserError } from "../lib/assert.ts";
import { wrapped } from "../report/text.ts";
import { EXIT, whenCalled } from "./command.ts";
import { out, painterOf, widthChars } from "./host.ts";
import { demandGeneration } from "./options.ts";

interface GenerationsOptions {
  readonly diff?: string;
  readonly json?: true;
}

function jsonOf(generation: Generation): Record<string, unknown> {
  const { name, summary, behaviours, knobs, sources, judgedBy } = generation;
  return { name, summary, judged_by: judgedBy, sources, behaviours, knobs: knobs.map((knob) => knob.name) };
}

/** One line for each kernel, cut where the terminal ends. */
function listText(): string {
  const { bold } = painterOf();
  const longest = Math.max(...GENERATIONS.map(({ name }) => name.length));
  const width = Math.max(60, widthChars()) - longest - 2;
  return GENERATIONS.map(({ name, summary }) => {
    const line = summary.length > width ? summary.slice(0, width - 1) + "…" : summary;
    return `${bold(name.padEnd(longest))}  ${line}\n`;
  }).join("");
}

function knobLine(knob: KnobSpec): string {
  return `${knob.name} = ${knob.default}   ${knobRange(knob)}`;
}

/** Everything that makes one kernel. */
function fullText(generation: Generation): string {
  const { bold, dim } = painterOf();
  const width = Math.max(60, Math.min(110, widthChars()));
  const { name, summary, judgedBy, sources, behaviours, knobs } = generation;
  const { policy } = behaviours.numaDesign;
  const facts = Object.entries(flatBehaviours(behaviours)).map(([key, value]) => `    ${key}: ${value}`);
  const lines = [
    bold(name),
    ...wrapped("    " + summary, width, "    "),
    ...wrapped("    judged by: " + judgedBy, width, "    ").map(dim),
    ...wrapped("    sources: " + sources.join("; "), width, "    ").map(dim),
    "",
    bold("policy of NUMA balancing"),
    ...wrapped(`    ${policy}: ${policyNamed(policy).summary}`, width, "    "),
    "",
    bold("behaviours"),
    ...facts,
    "",
    bold("knobs: default, range"),
    ...knobs.flatMap((knob) => [
      "    " + knobLine(knob),
      ...wrapped("        " + knob.doc, width, "        "),
    ]),
  ];
  return lines.join("\n") + "\n";
}

/** What tells two kernels apart, side by side. */
function diffText(one: Generation, other: Generation): string {
  const { bold } = painterOf();
  const rows = generationDifferences(one, other);
  if (rows.length === 0) return `${one.name} and ${other.name} behave the same\n`;
  const head = { key: "", left: one.name, right: other.name };
  const all = [head, ...rows];
  const keyWidth = Math.max(...all.map(({ key }) => key.length));
  const leftWidth = Math.max(...all.map(({ left }) => left.length));
  const texts = all.map(({ key, left, right }) =>
    `${key.padEnd(keyWidth)}  ${left.padEnd(leftWidth)}  ${right}`.trimEnd(),
  );
  return [bold(texts[0]!), ...texts.slice(1)].join("\n") + "\n";
}

export function registerGenerations(program: Command): void {
  const command = program
    .command("generations")
    .summary("list the kernels that can be simulated, or show one in full")
    .description(
      "List the kernels that can be simulated, one line each. With a name: its policy of NUMA balancing, " +
        "its behaviours, its knobs with defaults and ranges, its sources and who judges the model.",
    )
    .argument("[name]", "show this kernel in full")
    .option("--diff <other>", "only what tells it from this one")
    .option("--json", "print JSON, with every behaviour")
    .addHelpText(
      "after",
      "\nExamples:\n  $ pagewise generations linux-3.8\n  $ pagewise generations autonuma --diff autonuma-28",
    );
  whenCalled(command, (name: string | undefined, options: GenerationsOptions) => {
    const chosen = name === undefined ? undefined : demandGeneration(name, "generations NAME");
    if (chosen === undefined && options.diff !== undefined)
      throw new UserError(`--diff ${options.diff}: expected a kernel in front of it: NAME --diff OTHER`);
    const other = options.diff === undefined ? undefined : demandGeneration(options.diff, "--diff");
    if (chosen !== undefined && other !== undefined) {
      if (options.json === true)
        out(JSON.stringify({ differences: generationDifferences(chosen, other) }) + "\n");
      else out(diffText(chosen, other));
    } else if (options.json === true) {
      const shown = chosen === undefined ? GENERATIONS : [chosen];
      out(JSON.stringify({ generations: shown.map(jsonOf) }) + "\n");
    } else {
      out(chosen === undefined ? listText() : fullText(chosen));
    }
    return EXIT.ok;
  });
}
