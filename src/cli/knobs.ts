/** `pagewise knobs`: every knob of a kernel with its default, range and meaning. */
import type { Command } from "commander";
import { type KnobSpec, knobRange } from "../core/knobs.ts";
import { GENERATIONS } from "../generations/index.ts";
import { UserError } from "../lib/assert.ts";
import { didYouMean } from "../lib/suggest.ts";
import { wrapped } from "../report/text.ts";
import { EXIT, whenCalled } from "./command.ts";
import { out, painterOf, widthChars } from "./host.ts";
import { demandGeneration } from "./options.ts";

interface KnobsOptions {
  readonly generation: string;
  readonly json?: true;
}

function jsonOf(knob: KnobSpec): Record<string, unknown> {
  const { name, type, doc, source } = knob;
  const range =
    type === "choice" ? { choices: knob.choices } : { min: knob.min, max: knob.max, unit: knob.unit };
  return { name, type, default: knob.default, ...range, doc, source };
}

function textOf(knob: KnobSpec): string {
  const { bold, dim } = painterOf();
  const width = Math.max(60, Math.min(110, widthChars()));
  const lines = [
    `${bold(knob.name)} = ${knob.default}   ${dim(knobRange(knob))}`,
    ...wrapped("    " + knob.doc, width, "    "),
    ...wrapped("    source: " + knob.source, width, "    ").map(dim),
  ];
  return lines.join("\n") + "\n";
}

/** The knobs whose name has the word in it. */
function chosen(knobs: readonly KnobSpec[], word: string | undefined): readonly KnobSpec[] {
  if (word === undefined) return knobs;
  const found = knobs.filter(({ name }) => name.toLowerCase().includes(word.toLowerCase()));
  if (found.length > 0) return found;
  const lasts = knobs.map(({ name }) => name.split(/[/.]/).at(-1)!);
  throw new UserError(`no knob has '${word}' in its name${didYouMean(word, lasts)}`);
}

export function registerKnobs(program: Command): void {
  const command = program
    .command("knobs")
    .summary("list every knob of a kernel: default, range, meaning")
    .description("List every knob of a kernel under its real name, with default, range, meaning and source.")
    .argument("[word]", "only knobs with this in their name")
    .option("--generation <name>", "whose knobs", GENERATIONS[0]!.name)
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ pagewise knobs khugepaged --generation linux-6.18");
  whenCalled(command, (word: string | undefined, options: KnobsOptions) => {
    const knobs = chosen(demandGeneration(options.generation).knobs, word);
    if (options.json === true) out(JSON.stringify({ knobs: knobs.map(jsonOf) }) + "\n");
    else out(knobs.map(textOf).join(""));
    return EXIT.ok;
  });
}
