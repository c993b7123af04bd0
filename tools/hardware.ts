/** docs/hardware.md, made of the catalogue of figures and the descriptions that come with Pagewise. */
import { FIGURE_NAMES, FIGURES } from "../src/hardware/figures.ts";
import { HARDWARE } from "../src/hardware/index.ts";
import type { HardwareSpec } from "../src/hardware/spec.ts";
import type { LevelSpec } from "../src/kernel/tlb/level.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|");
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;

/** A file that a test reads as the program does. */
export const EXAMPLE = `name = "my-server"
base = "zen4"            # whatever is left out is taken from here

[tlb]
l1Small = { entries = 64, ways = 4 }
l1Huge = { entries = 32, ways = 4 }
l2 = { entries = 2048, ways = 16, hugeWays = 8 }

[tlb.walkCaches]         # or, in [tlb]: walkCaches = "none"
pde = { entries = 32, ways = 4 }
pdpte = { entries = 4, ways = 4 }
pml4e = { entries = 4, ways = 4 }

[figures]
faultNs = 480
zeroHugeBytesPerNs = { value = 9.5, source = "measured with our own benchmark" }
`;

function level({ entries, ways }: LevelSpec): string {
  return ways === entries ? `${entries}, any place` : `${entries}, ${ways} ways`;
}

function tlbRow({ name, tlb, tlbSource }: HardwareSpec): string {
  const { l1Small, l1Huge, l2, walkCaches } = tlb;
  const limited = l2.hugeWays === l2.ways ? "" : `, ${l2.hugeWays} of them for huge pages`;
  const caches =
    walkCaches === "none"
      ? "none"
      : [walkCaches.pde, walkCaches.pdpte, walkCaches.pml4e].map(({ entries }) => entries).join(" + ");
  const huge = l1Huge === "shared" ? "shared" : level(l1Huge);
  return row([`\`${name}\``, level(l1Small), huge, level(l2) + limited, caches, tlbSource]);
}

/** The meaning of a figure and what it is everywhere: one row of figures beside one row of meaning. */
function figureRow(name: (typeof FIGURE_NAMES)[number]): string {
  const { unit, doc } = FIGURES[name];
  const values = HARDWARE.map(({ figures }) => String(figures[name].value));
  return row([`\`${name}\``, unit, doc, ...values]);
}

/** Sources of a figure, each once, with the descriptions that it stands behind. */
function sourceRow(name: (typeof FIGURE_NAMES)[number]): string {
  const bySource = new Map<string, string[]>();
  for (const hardware of HARDWARE) {
    const { source } = hardware.figures[name];
    bySource.set(source, [...(bySource.get(source) ?? []), hardware.name]);
  }
  const sources = [...bySource].map(([source, names]) =>
    bySource.size === 1 ? source : `${names.join(", ")}: ${source}`,
  );
  return row([`\`${name}\``, sources.join("<br>")]);
}

export function renderHardware(): string {
  const names = HARDWARE.map(({ name }) => `\`${name}\``);
  return `# Hardware

What a processor's TLBs look like, and what things cost on it. \`--hardware NAME\` takes one of the
descriptions below (unless told: the workload's own machine's, or \`${HARDWARE[0]!.name}\`),
\`--hardware FILE.toml\` one of your own. This page
is made of the descriptions (\`npm run docs\`). A source that begins with *assumed* is a guess in good faith:
compare columns by such figures, do not quote them.

${HARDWARE.map(({ name, summary }) => `- \`${name}\`: ${summary}.`).join("\n")}

## One of your own

\`\`\`toml
${EXAMPLE}\`\`\`

\`pagewise compare TRACE --hardware my-server.toml --settings "thp=never;thp=always"\`

Every key may be left out. Without \`base\` it is \`${HARDWARE[0]!.name}\`; what is not given is the base's. A
figure is a number, or a number with its \`source\`. Sets have 4, 8, 12 or 16 ways and are a power of two in
number; in the first level, up to 254 entries may be a single set (\`ways\` equal to \`entries\`).
\`l1Huge = "shared"\` keeps huge pages in \`l1Small\`. \`hugeWays\` says how many ways of a set of \`l2\` huge
pages may take: all unless told, 0 for none. What does not make sense is refused with its line.

## TLBs

Entries of each cache; walk caches by what they hold: PDE + PDPTE + PML4E.

| name | first level, 4 KiB | first level, huge | second level | walk caches | source |
|---|---|---|---|---|---|
${HARDWARE.map(tlbRow).join("\n")}

## Figures

| figure | unit | meaning | ${names.join(" | ")} |
|---|---|---|${names.map(() => "---|").join("")}
${FIGURE_NAMES.map(figureRow).join("\n")}

## Sources

Where one source stands alone, it is behind all descriptions.

| figure | source |
|---|---|
${FIGURE_NAMES.map(sourceRow).join("\n")}
`;
}
