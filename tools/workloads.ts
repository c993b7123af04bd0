/** docs/workloads.md, made of the workloads' declarations. */
import { WORKLOADS } from "../src/workloads/generators/index.ts";
import { paramRange, printParam, type WorkloadSpec } from "../src/workloads/generators/workload.ts";
import { printMachine } from "../src/workloads/script/print.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|");

function section(spec: WorkloadSpec): string {
  const { name, summary, standsFor, source, machine, hardware, settings = [], params } = spec;
  const rows = Object.entries(params).map(
    ([param, it]) =>
      `| \`${param}\` | \`${printParam(it, it.default)}\` | ${cell(paramRange(it))} | ${cell(it.doc)} |`,
  );
  const on = hardware === undefined ? "" : `, hardware \`${hardware}\``;
  const sets = settings.map(([knob, value]) => `, \`${knob}=${value}\``).join("");
  return `## ${name}

${summary[0]!.toUpperCase()}${summary.slice(1)}. ${standsFor}

Source: ${source}. Unless told otherwise: \`${printMachine(machine)}\`${on}${sets}.

| parameter | default | range | meaning |
|---|---|---|---|
${rows.join("\n")}
`;
}

export function renderWorkloads(): string {
  return `# Named workloads

Programs that come along, so that no trace is needed: \`pagewise workloads\` lists them, and

    npx pagewise run --workload numa02,rounds=100
    npx pagewise compare --workload numa02,size=64M --settings "numa_balancing=0; numa_balancing=1"

runs one. \`NAME,param=value,…\` sets parameters; what is left out has its default, and
\`--machine\` overrides the machine and its hardware, \`--hardware\` the latter alone. In a program it is
\`simulate(workloadByName("numa02,rounds=100"), options)\`.

Each is a small program, not a recording: its threads run on simulated CPUs of their own, map memory
where the kernel puts it, and go on when the simulated time and the kernel let them. Random choices
come from the run's seed (\`--seed\`), so that the same command gives the same bytes.

- A visit to a page is one record: how many references it makes, and how many of the page's 64 cache
  lines have to come from memory.
- Threads without an affinity are put on the CPU with the fewest threads when they are born and when
  they are set free; later the load balancer and NUMA balancing move them.
- A thread that only refers to memory may be 20 µs ahead of the others; what they do to its memory
  reaches it that late. Whoever enters the kernel waits until the others have caught up.
- Sizes and rounds are scaled down where the real program takes minutes: each says by how much.

A new workload is one file in \`src/workloads/generators/\` and a line in its \`index.ts\`. This
page is made of the declarations (\`npm run docs\`).

${WORKLOADS.map(section).join("\n")}`;
}
