/** `pagewise generations`: the kernels there are. */
import type { Command } from "commander";
import type { Generation } from "../generations/generation.ts";
import { GENERATIONS } from "../generations/index.ts";
import { wrapped } from "../report/text.ts";
import { EXIT, whenCalled } from "./command.ts";
import { out, painterOf, widthChars } from "./host.ts";

function jsonOf({
  name,
  summary,
  behaviours,
  knobs,
  sources,
  judgedBy,
}: Generation): Record<string, unknown> {
  return { name, summary, judged_by: judgedBy, sources, behaviours, knobs: knobs.map((knob) => knob.name) };
}

function textOf({ name, summary, judgedBy, sources }: Generation): string {
  const { bold, dim } = painterOf();
  const width = Math.max(60, Math.min(110, widthChars()));
  const lines = [
    bold(name),
    ...wrapped("    " + summary, width, "    "),
    ...wrapped("    judged by: " + judgedBy, width, "    ").map(dim),
    ...wrapped("    sources: " + sources.join("; "), width, "    ").map(dim),
  ];
  return lines.join("\n") + "\n";
}

export function registerGenerations(program: Command): void {
  const command = program
    .command("generations")
    .summary("list the kernels that can be simulated")
    .description(
      "List the kernels that can be simulated, what is particular about each, and who judges the model.",
    )
    .option("--json", "print JSON, with every behaviour");
  whenCalled(command, (options: { readonly json?: true }) => {
    if (options.json === true) out(JSON.stringify({ generations: GENERATIONS.map(jsonOf) }) + "\n");
    else out(GENERATIONS.map(textOf).join("\n"));
    return EXIT.ok;
  });
}
