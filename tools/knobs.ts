/** docs/knobs.md, made of the knobs' declarations: every knob of every kernel, in one table. */
import { type KnobSpec, knobRange } from "../src/core/knobs.ts";
import { GENERATIONS } from "../src/generations/index.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** "6.1, 6.18" or "all": the kernels that have a knob in this form. */
function kernelsOf(names: readonly string[]): string {
  return names.length === GENERATIONS.length
    ? "all"
    : names.map((name) => name.replace(/^linux-/, "")).join(", ");
}

/** Knobs in order of first appearance; one that kernels declare differently has a row for each form. */
function rows(): string[] {
  const forms = new Map<string, { knob: KnobSpec; names: string[] }>();
  for (const { name, knobs } of GENERATIONS) {
    for (const knob of knobs) {
      const form = JSON.stringify(knob);
      const same = forms.get(form);
      if (same === undefined) forms.set(form, { knob, names: [name] });
      else same.names.push(name);
    }
  }
  return [...forms.values()].map(({ knob, names }) => {
    const range = cell(knobRange(knob));
    return (
      `| \`${knob.name}\` | \`${knob.default}\` | ${range} | ${kernelsOf(names)} ` +
      `| ${cell(knob.doc)} | ${cell(knob.source)} |`
    );
  });
}

export function renderKnobs(): string {
  return `# Knobs

Every knob of every kernel, under its real name: below \`/sys/kernel/mm\` where it begins with
\`transparent_hugepage\`, in \`sysctl\` where its parts are set apart by dots. What the kernel refuses
is refused here. This page is made of the declarations (\`npm run docs\`);
\`pagewise knobs --generation NAME\` prints the same for one kernel.

Write one with \`--set KNOB=VALUE\`, in a script with \`set KNOB VALUE\`, in \`compare\` with
\`--settings "KNOB=VALUE,…; …"\`. The last part of a name will do where no other knob ends so; \`thp\` is
\`transparent_hugepage/enabled\` and \`defrag\` is \`transparent_hugepage/defrag\`.

| knob | default | range | kernels | meaning | where the default is from |
|---|---|---|---|---|---|
${rows().join("\n")}
`;
}
