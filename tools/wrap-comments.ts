/**
 * Breaks comment lines that are wider than a line may be; the formatter leaves comments alone. Part of `npm run fix`.
 *
 * In a block comment, the words that do not fit begin the next line, pushed down through their paragraph. A line
 * comment that is too wide, or one behind code, is moved or broken in front of its statement only when it stands alone;
 * the rest is reported, because where it goes is a question of sense.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const COLUMNS_MAX = 110;
const FOLDERS = ["src", "test", "bench", "tools"];
const width = (line: string) => [...line].length;

/** A line of prose in a comment that stands alone: its indentation and mark, then the words. */
const PROSE = /^(\s*(?:\*|\/\/) )(\S.*)$/;
/** A one-line block comment that stands alone. */
const ONE_LINE_BLOCK = /^(\s*)\/\*\* (.*) \*\/$/;

/** Lines that the next one may not be joined to: pictures, lists, labels, or the end. */
function isContinuation(line: string | undefined, mark: string): boolean {
  if (line === undefined || !line.startsWith(mark)) return false;
  return /^[\p{L}(`]/u.test(line.slice(mark.length)) && !/^\w[\w ]*:/.test(line.slice(mark.length));
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
    const isPicture = words !== undefined && /^ {3}|─|│| {4}/.test(words);
    const [fits, rest] = split(todo[i]!);
    if (mark === undefined || isPicture || fits.length <= mark.length) {
      wide.push(i + 1);
      continue;
    }
    // The words of a labelled paragraph (`Models:  …`) hang under its first word.
    const hang = /^(\w[\w ]*: +)\S/.exec(words!)?.[1]?.length ?? 0;
    const nextMark = mark + " ".repeat(hang);
    todo[i] = fits;
    if (isContinuation(todo[i + 1], nextMark))
      todo[i + 1] = nextMark + rest + " " + todo[i + 1]!.slice(nextMark.length);
    else todo.splice(i + 1, 0, nextMark + rest);
  }
  return { lines: todo, wide };
}

function main(): void {
  const root = join(import.meta.dirname, "..");
  for (const folder of FOLDERS) {
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
