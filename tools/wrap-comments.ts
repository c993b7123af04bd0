/**
 * Breaks comment lines that are wider than a line may be; the formatter leaves comments alone. Part of `npm
 * run fix`.
 *
 * The words that do not fit begin the next line, pushed down through their paragraph. Pictures, and comments
 * behind code, are reported only, because where they go is a question of sense. Folders may be named; else
 * all are done.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const COLUMNS_MAX = 110;
const FOLDERS = ["src", "test", "bench", "tools"];
const width = (line: string) => [...line].length;

/**
 * A line of prose in a comment that stands alone: its indentation, mark and hanging spaces, then the words.
 */
const PROSE = /^(\s*(?:\*|\/\/) +)(\S.*)$/;
/** Drawn lines and tables are for people to rearrange. */
const PICTURE = /[─│▶└┌] | {3}/;
/** A label or a bullet, under whose first word the rest of its paragraph hangs. */
const LABEL = /^(?:Not modelled: |[A-Z]\w*: {2,}|- )/;
/** A one-line block comment that stands alone. */
const ONE_LINE_BLOCK = /^(\s*)\/\*\* (.*) \*\/$/;

/** Whether a line goes on with a paragraph that stands behind this mark: no picture, list, label or end. */
function isContinuation(line: string | undefined, mark: string): boolean {
  if (line === undefined || !line.startsWith(mark)) return false;
  const words = line.slice(mark.length);
  return /^[\p{L}\p{N}(`"<=]/u.test(words) && !LABEL.test(words) && !PICTURE.test(words);
}

/** The longest beginning that fits, and the words left over. */
function split(line: string): [fits: string, rest: string] {
  const cut = [...line]
    .slice(0, COLUMNS_MAX + 1)
    .join("")
    .lastIndexOf(" ");
  return [line.slice(0, cut).trimEnd(), line.slice(cut + 1)];
}

/** The lines of a file with wide comments broken, and the numbers of the lines that stay too wide. */
export function wrapComments(lines: readonly string[]): { lines: string[]; wide: number[] } {
  const todo = lines.flatMap((line) => {
    const [, indent, words] = width(line) > COLUMNS_MAX ? (ONE_LINE_BLOCK.exec(line) ?? []) : [];
    return words === undefined ? [line] : [`${indent}/**`, `${indent} * ${words}`, `${indent} */`];
  });
  const wide: number[] = [];
  for (let i = 0; i < todo.length; i++) {
    if (width(todo[i]!) <= COLUMNS_MAX) continue;
    const [, mark, words] = PROSE.exec(todo[i]!) ?? [];
    const [fits, rest] = split(todo[i]!);
    const label = LABEL.exec(words ?? "")?.[0] ?? "";
    if (mark === undefined || PICTURE.test(words!.slice(label.length)) || fits.length <= mark.length) {
      wide.push(i + 1);
      continue;
    }
    const nextMark = mark + " ".repeat(label.length);
    todo[i] = fits;
    if (isContinuation(todo[i + 1], nextMark))
      todo[i + 1] = nextMark + rest + " " + todo[i + 1]!.slice(nextMark.length);
    else todo.splice(i + 1, 0, nextMark + rest);
  }
  return { lines: todo, wide };
}

function main(): void {
  const root = join(import.meta.dirname, "..");
  const chosen = process.argv.slice(2);
  for (const folder of chosen.length > 0 ? chosen : FOLDERS) {
    const paths = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
    for (const path of paths
      .filter((name) => name.endsWith(".ts") && !name.includes("node_modules"))
      .sort()) {
      const file = join(root, folder, path);
      const before = readFileSync(file, "utf8");
      const { lines, wide } = wrapComments(before.split("\n"));
      const after = lines.join("\n");
      if (after !== before) writeFileSync(file, after);
      for (const line of wide) console.error(`${folder}/${path}:${line}: wider than ${COLUMNS_MAX} columns`);
    }
  }
}

if (process.argv[1] === import.meta.filename) main();
