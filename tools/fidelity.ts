/**
 * The table of mechanisms in docs/FIDELITY.md, made of the heads of the kernel files: what each is, what it
 * models and what it leaves out.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const DESIGNS = "published runs of autonumabench (docs/designs.md), the explorer; no kernel carries them";

/** Folders of src/kernel in the order of the page, with what judges them besides the tests beside them. */
const FOLDERS: readonly (readonly [folder: string, title: string, judgedBy: string])[] = [
  ["fault", "Page faults", "recordings, random scripts, traces"],
  ["thp", "Huge pages: eligibility, split, deferred split", "recordings, random scripts"],
  ["khugepaged", "khugepaged and MADV_COLLAPSE", "recordings"],
  ["mm", "Address spaces, page tables, system calls", "recordings, random scripts, traces"],
  ["buddy", "The page allocator and compaction", "the fuzzer; scripts of full nodes and of short memory"],
  [
    "reservation",
    "Huge page reservations",
    "rule by rule against the posted patch and its review; no kernel carries them",
  ],
  [
    "reclaim",
    "LRU, reclaim, swap",
    "recordings of swap, random scripts; which area goes first under pressure",
  ],
  ["tlb", "TLBs, page walks, shootdowns", "the golden counters of three other models"],
  ["numa", "NUMA balancing: scanner, filter, groups, placement", "recordings, random scripts"],
  ["numa/early", "What the designs of 2012 share", DESIGNS],
  ["numa/autonuma", "AutoNUMA", DESIGNS],
  ["numa/numacore", "numa/core", DESIGNS],
  ["numa/balancenuma", "balancenuma: 3.8 and 3.9", DESIGNS],
  ["migration", "Moving pages", "recordings, random scripts about NUMA balancing"],
  ["proc", "Knobs, counters, maps", "recordings"],
  ["", "What all of them stand on", "the tests of those above"],
];

export interface Head {
  readonly summary: string;
  readonly models: string;
  readonly notModelled: string;
}

/** The words behind a label in a head, up to the next label or an empty line. */
function labelled(lines: readonly string[], label: string): string {
  const start = lines.findIndex((line) => line.startsWith(label));
  if (start < 0) return "";
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line === "" || /^(Models|Not modelled):/.test(line));
  const own = [lines[start]!.slice(label.length), ...rest.slice(0, end < 0 ? rest.length : end)];
  return own
    .map((line) => line.trim())
    .join(" ")
    .trim();
}

/** Reads the doc comment that a file opens with; undefined if it models nothing. */
export function headOf(text: string): Head | undefined {
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1];
  if (comment === undefined) return undefined;
  const lines = comment.split("\n").map((line) => line.replace(/^ \* ?/, "").trimEnd());
  const models = labelled(lines, "Models:");
  if (models === "") return undefined;
  const begin = lines.findIndex((line) => line.trim() !== "");
  const end = lines.findIndex((line, index) => index > begin && line === "");
  const paragraph = lines
    .slice(begin, end < 0 ? undefined : end)
    .join(" ")
    .trim();
  const summary = /^.*?\.(?= |$)/.exec(paragraph)?.[0] ?? paragraph;
  return { summary, models, notModelled: labelled(lines, "Not modelled:") };
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replace(/\.$/, "");

/** The tables, one a folder. */
export function renderMechanisms(root: string): string {
  const kernel = join(root, "src", "kernel");
  const parts = FOLDERS.map(([folder, title, judgedBy]) => {
    const names = readdirSync(join(kernel, folder)).sort();
    const rows = names
      .filter((name) => name.endsWith(".ts") && !/\.(test|fuzz|bench)\.ts$|^test-/.test(name))
      .map((name) => ({ name, head: headOf(readFileSync(join(kernel, folder, name), "utf8")) }))
      .filter(({ head }) => head !== undefined)
      .map(
        ({ name, head }) =>
          `| \`${name}\` | ${cell(head!.summary)} | ${cell(head!.models)} | ${cell(head!.notModelled)} |`,
      );
    return [
      `### \`${join("kernel", folder)}/\`: ${title}`,
      "",
      `Judged by: ${judgedBy}.`,
      "",
      "| file | what | models | left out |",
      "|---|---|---|---|",
      ...rows,
    ].join("\n");
  });
  return parts.join("\n\n");
}

const begin = (name: string): string => `<!-- begin ${name}: made by npm run docs -->`;
const end = (name: string): string => `<!-- end ${name} -->`;

/** The document with what stands between the markers of that name replaced. */
export function withGenerated(document: string, name: string, generated: string): string {
  const from = document.indexOf(begin(name));
  const to = document.indexOf(end(name));
  if (from < 0 || to < from) throw new Error(`the document has the markers "${begin(name)}", "${end(name)}"`);
  return `${document.slice(0, from)}${begin(name)}\n\n${generated}\n\n${document.slice(to)}`;
}
