/** `pagewise workloads`: the programs that come along, with what they stand for and their parameters. */
import type { Command } from "commander";
import { UserError } from "../lib/assert.ts";
import { didYouMean } from "../lib/suggest.ts";
import { wrapped } from "../report/text.ts";
import { WORKLOADS } from "../workloads/generators/index.ts";
import {
  type ParamSpec,
  paramRange,
  printParam,
  type WorkloadSpec,
} from "../workloads/generators/workload.ts";
import { printMachine } from "../workloads/script/print.ts";
import { EXIT, whenCalled } from "./command.ts";
import { out, painterOf, widthChars } from "./host.ts";

interface WorkloadsOptions {
  readonly json?: true;
}

function jsonOf(spec: WorkloadSpec): Record<string, unknown> {
  const { name, summary, standsFor, source, machine, hardware, params } = spec;
  const { nodes, cpus, memBytes, scale = 1 } = machine;
  return {
    name,
    summary,
    stands_for: standsFor,
    source,
    machine: { nodes, cpus, mem_bytes: memBytes, scale },
    ...(hardware === undefined ? {} : { hardware }),
    params: Object.entries(params).map(([param, it]) => ({ name: param, ...it })),
  };
}

function machineText({ machine, hardware }: WorkloadSpec): string {
  return printMachine(machine) + (hardware === undefined ? "" : `, hardware ${hardware}`);
}

function paramText(name: string, param: ParamSpec): string {
  return `    ${name}=${printParam(param, param.default)} (${paramRange(param)}): ${param.doc}`;
}

function textOf(spec: WorkloadSpec): string {
  const { bold, dim } = painterOf();
  const width = Math.max(60, Math.min(110, widthChars()));
  const wrap = (text: string): string[] => wrapped(text, width, "      ");
  const lines = [
    `${bold(spec.name)}: ${spec.summary}`,
    ...wrapped("    " + spec.standsFor, width, "    "),
    ...Object.entries(spec.params).flatMap(([name, param]) => wrap(paramText(name, param))),
    ...wrap(`    machine unless told: ${machineText(spec)}`).map(dim),
    ...wrap("    source: " + spec.source).map(dim),
  ];
  return lines.join("\n") + "\n";
}

/** The workloads whose name has the word in it. */
function chosen(word: string | undefined): readonly WorkloadSpec[] {
  if (word === undefined) return WORKLOADS;
  const found = WORKLOADS.filter(({ name }) => name.toLowerCase().includes(word.toLowerCase()));
  if (found.length > 0) return found;
  const names = WORKLOADS.map(({ name }) => name);
  throw new UserError(`no workload has '${word}' in its name${didYouMean(word, names)}`);
}

export function registerWorkloads(program: Command): void {
  const command = program
    .command("workloads")
    .summary("list the programs that come along: what each stands for, its parameters")
    .description("List the programs that come along: what each stands for, its parameters with their ranges.")
    .argument("[word]", "only workloads with this in their name")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExample:\n  $ pagewise workloads numa0\n  $ pagewise run --workload numa01,size=64M,rounds=10",
    );
  whenCalled(command, (word: string | undefined, options: WorkloadsOptions) => {
    const list = chosen(word);
    if (options.json === true) out(JSON.stringify({ workloads: list.map(jsonOf) }) + "\n");
    else out(list.map(textOf).join("\n"));
    return EXIT.ok;
  });
}
