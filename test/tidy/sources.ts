/**
 * The files of the repository as tidy tests see them, and the few ways of reading TypeScript that they
 * need. No parser: the formatter has already decided the layout, so indentation tells where a function ends.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

export const ROOT = join(import.meta.dirname, "..", "..");

/** A text file: path with `/` from the repository's root, and its lines. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

/** What .gitignore names, and git's own folder: not part of the repository. */
function ignored(): (name: string) => boolean {
  const patterns = readFileSync(join(ROOT, ".gitignore"), "utf8").split("\n").filter(Boolean);
  const names = new Set([".git", ...patterns.map((pattern) => pattern.replace(/\/$/, ""))]);
  const suffixes = patterns.filter((pattern) => pattern.startsWith("*")).map((pattern) => pattern.slice(1));
  return (name) => names.has(name) || suffixes.some((suffix) => name.endsWith(suffix));
}

function walk(folder: string, skip: (name: string) => boolean, found: string[]): string[] {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    if (skip(entry.name)) continue;
    const path = folder === "" ? entry.name : folder + "/" + entry.name;
    if (entry.isDirectory()) walk(path, skip, found);
    else if (entry.isFile()) found.push(path);
  }
  return found;
}

/** Paths of all files of the repository, sorted. */
export function allPaths(): string[] {
  return walk("", ignored(), []).sort();
}

export function readSource(path: string): Source {
  const text = readFileSync(join(ROOT, path), "utf8");
  return { path, text, lines: text.split("\n") };
}

/** TypeScript files in one of the folders. */
export function typescriptIn(...folders: string[]): Source[] {
  return allPaths()
    .filter((path) => /\.tsx?$/.test(path) && folders.some((folder) => path.startsWith(folder + "/")))
    .map(readSource);
}

/** True for tests and what only tests use: they may reach across layers and use the host. */
export function isTest(path: string): boolean {
  return /\.(test|fuzz|bench)\.ts$|\/test-[\w-]+\.ts$|(^|[./])testing[./]|^test\//.test(path);
}

/** A comment, a string, a regular expression or a template literal. */
const NOT_CODE = new RegExp(
  [
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*/,
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/,
    // A slash begins a regular expression where a value may begin, else it divides.
    /(?<=[=(,:;!&|?{}[\n]\s*|return )\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\//,
    /`(?:\\.|\$\{[^}`]*\}|[^`\\])*`/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);

/** The text with comments and the contents of strings blanked out; line numbers and columns stay. */
export function codeOnly(text: string): string {
  return text.replace(NOT_CODE, (token) => {
    if (token.startsWith("`")) return blankTemplate(token);
    return token.replace(/[^\n"']/g, " ");
  });
}

/** In a template literal, only what stands between `${` and `}` is code. */
function blankTemplate(token: string): string {
  return token.replace(/\$\{[^}]*\}|[^\n]/g, (part) => (part.startsWith("${") ? part : " "));
}

/** The line number (from 1) at an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

export interface Import {
  readonly specifier: string;
  /** Repository path of a relative import. */
  readonly target: string | undefined;
  readonly line: number;
}

/** The formatter puts `import`, `export` or the closing `}` of a list at a line's start; prose does not. */
const IMPORTS = new RegExp(
  [
    /^(?:import|export|\}).*\bfrom\s+"([^"]+)"/,
    /^import\s+"([^"]+)"/,
    /\bimport\(\s*"([^"]+)"/,
    /new URL\(\s*"([^"]+)"/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "gm",
);

/** What a file imports, statically, dynamically, as a type, or by `new URL("./x.ts", import.meta.url)`. */
export function importsOf(source: Source): Import[] {
  return [...source.text.matchAll(IMPORTS)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? match[4]!;
    const target = specifier.startsWith(".") ? join(source.path, "..", specifier) : undefined;
    return { specifier, target, line: lineAt(source.text, match.index) };
  });
}

export interface FunctionSpan {
  readonly name: string;
  readonly line: number;
  readonly lengthLines: number;
}

const NOT_A_FUNCTION = /^\s*(if|for|while|switch|do|try|case|default|(export )?(class|interface))\b|^\s*\}/;
const FUNCTION_NAME = /function\*? *([\w$]+)|const ([\w$]+) =|^\s*(?:async |\*|get |set )*([\w$]+)\(/;
const FUNCTION_OPENS = /\bfunction\b.*\{$|=> \{$|^\s*\).*\{$|^\s*[\w\s*#]+(<.*>)?\(.*\).*\{$/;

/** Every function whose body is a block of several lines. Relies on the formatter's layout. */
export function functionsOf(source: Source): FunctionSpan[] {
  const { lines } = source;
  const spans: FunctionSpan[] = [];
  lines.forEach((line, index) => {
    if (!FUNCTION_OPENS.test(line) || NOT_A_FUNCTION.test(line)) return;
    const indent = line.length - line.trimStart().length;
    const isAtIndent = (other: string) =>
      other.trim() !== "" && other.length - other.trimStart().length === indent;
    // `): Result {` closes a list of parameters: the function began at the last line with the same
    // indentation.
    let first = index;
    if (line.trimStart().startsWith(")"))
      do first--;
      while (first > 0 && !isAtIndent(lines[first]!));
    const header = lines[first]!;
    if (NOT_A_FUNCTION.test(header)) return;
    const closes = (other: string) => isAtIndent(other) && /^\s*\}/.test(other) && !other.endsWith("{");
    const rest = lines.slice(index + 1).findIndex(closes);
    const name = FUNCTION_NAME.exec(header)?.slice(1).find(Boolean) ?? "function";
    spans.push({ name, line: first + 1, lengthLines: index + rest + 2 - first });
  });
  return spans;
}

/** Fails with one line for each violation: `file:line: what is wrong; what to write instead`. */
export function expectNone(violations: readonly string[]): void {
  expect(violations.join("\n")).toBe("");
}
