import { describe, expect, test } from "vitest";
import {
  codeOnly,
  expectNone,
  functionsOf,
  importsOf,
  isTest,
  lineAt,
  readSource,
  type Source,
  typescriptIn,
} from "./sources.ts";

const FILE_LINES_MAX = 399;
const FUNCTION_LINES_MAX = 59;
const COLUMNS_MAX = 110;

const all = typescriptIn("src", "test", "bench", "tools");
const shipped = all.filter(({ path }) => path.startsWith("src/") && !isTest(path));

/** Declarations without behaviour of their own: what they model stands with the mechanisms that read them. */
const DECLARATIONS = [
  "src/kernel/state.ts",
  "src/kernel/machine.ts",
  "src/kernel/costs.ts",
  "src/kernel/tunables.ts",
  "src/kernel/behaviours.ts",
  "src/kernel/locks.ts",
  "src/kernel/fault/outcome.ts",
  "src/kernel/khugepaged/state.ts",
  "src/kernel/mm/errno.ts",
  "src/kernel/thp/state.ts",
];

/** Files that nothing imports because something outside of src starts them. */
const ENTRIES = [
  "src/index.ts",
  "src/cli/main.ts",
  "src/cli/start.ts",
  "src/web/main.tsx",
  "src/web/worker.ts",
];

/** Words of the language that the house style does without. */
const CONSTRUCTS: readonly (readonly [RegExp, string])[] = [
  [/^export default\b/gm, "export it by name"],
  [/^export \* from\b/gm, "import from the file itself; no barrels"],
  [/\benum\s+\w+\s*\{/g, "use a frozen object or a union of words: a type stripper cannot run enum"],
  [/\bnamespace\s+\w+\s*\{/g, "use a module"],
  [/\bclass\s+\w+(<[^>]*>)?\s+extends\s+(?!Error\b)/g, "use functions over plain data; only errors inherit"],
  [/^\s*@\w+.*$/gm, "call a function instead of a decorator"],
  [/@ts-(ignore|nocheck)\b/g, "fix the type, or @ts-expect-error with a reason"],
  [/\bas any\b|: any\b/g, "name the type, or use unknown"],
];

function constructs(source: Source): string[] {
  const code = codeOnly(source.text);
  return CONSTRUCTS.flatMap(([pattern, instead]) =>
    [...code.matchAll(pattern)].map((match) => {
      const offset = match.index + match[0].length - match[0].trimStart().length;
      return `${source.path}:${lineAt(code, offset)}: ${match[0].trim()}; ${instead}`;
    }),
  );
}

function missingFromHead({ path, text }: Source): string[] {
  const head = /^\/\*\*[\s\S]*?\*\//.exec(text)?.[0];
  if (head === undefined) return [`${path}:1: no opening comment; say in one sentence what the file is`];
  return ["Models:", "Not modelled:"]
    .filter((word) => !head.includes(word))
    .map((word) => `${path}:1: no "${word}" in the opening comment; name kernel file, function and version`);
}

function tooLong(source: Source): string[] {
  return functionsOf(source)
    .filter(({ lengthLines }) => lengthLines > FUNCTION_LINES_MAX)
    .map(
      ({ name, line, lengthLines }) =>
        `${source.path}:${line}: ${name} has ${lengthLines} lines; split it by what it decides (< 60)`,
    );
}

describe("style", () => {
  test("a file has fewer than 400 lines", () => {
    const long = all.filter(({ lines }) => lines.length - 1 > FILE_LINES_MAX);
    expectNone(
      long.map(({ path, lines }) => `${path}:400: ${lines.length - 1} lines; split it by idea (< 400 lines)`),
    );
  });

  test("a function of src has fewer than 60 lines", () => {
    expectNone(shipped.flatMap(tooLong));
  });

  test("a line has at most 110 columns", () => {
    const wide = all.flatMap(({ path, lines }) =>
      lines.flatMap((line, index) =>
        [...line].length > COLUMNS_MAX
          ? [`${path}:${index + 1}: ${[...line].length} columns; break the line (<= ${COLUMNS_MAX})`]
          : [],
      ),
    );
    expectNone(wide);
  });

  test("every kernel file says what it models and what it does not", () => {
    const kernel = shipped.filter(
      ({ path }) => path.startsWith("src/kernel/") && !DECLARATIONS.includes(path),
    );
    expectNone(kernel.flatMap(missingFromHead));
  });

  test("every file of src opens with a comment that says what it is", () => {
    const silent = shipped.filter(({ text }) => !text.startsWith("/**") && !text.startsWith("#!"));
    expectNone(
      silent.map(({ path }) => `${path}:1: no opening comment; say in one sentence what the file is`),
    );
  });

  test("every fuzzer opens with its strategy and invariants", () => {
    const fuzzers = all.filter(
      ({ path, text }) => path.endsWith(".fuzz.ts") && !/Strategy:[\s\S]*Invariants:/.test(text),
    );
    expectNone(
      fuzzers.map(
        ({ path }) => `${path}:1: no "Strategy:" and "Invariants:"; open with what varies and what holds`,
      ),
    );
  });

  test("no enum, namespace, default export, barrel, inheritance, decorator or any", () => {
    expectNone(shipped.flatMap(constructs));
  });

  test("no note to self is left in the code", () => {
    const note = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|")})\\b`);
    const found = all.flatMap(({ path, lines }) =>
      lines.flatMap((line, index) =>
        note.test(line)
          ? [`${path}:${index + 1}: ${line.trim()}; open an issue, or test.skip with a sentence`]
          : [],
      ),
    );
    expectNone(found);
  });

  test("no file of src is dead", () => {
    const importers = all.filter(({ path }) => !/\.(test|fuzz)\.ts$/.test(path));
    const used = new Set(importers.flatMap((source) => importsOf(source).map(({ target }) => target)));
    const dead = shipped.filter(({ path }) => !used.has(path) && !ENTRIES.includes(path));
    expectNone(dead.map(({ path }) => `${path}:1: only tests import it, or nothing; use it or delete it`));
  });

  test("every entry that exists is one that package.json, bin or the page starts", () => {
    const files = ["package.json", "bin/pagewise.js", "src/web/index.html", "src/web/runner.ts"];
    const starters = files.map((file) => readSource(file).text).join("");
    const paths = shipped.map(({ path }) => path).filter((path) => ENTRIES.includes(path));
    const nameIn = (path: string): string =>
      path.startsWith("src/web/") ? path.replace("src/web/", "./") : path.replace(/^src\/|\.ts$/g, "");
    const idle = paths.filter((path) => !starters.includes(nameIn(path)));
    expectNone(idle.map((path) => `${path}:1: nothing starts it; name it in package.json, or delete it`));
  });
});

describe("the rules see what they must see", () => {
  const source = (text: string): Source => ({ path: "src/kernel/x.ts", text, lines: text.split("\n") });

  test("the length of functions, methods and arrows, with parameters on one line or several", () => {
    const text = [
      "export function one(a: number): number {",
      "  if (a > 1) {",
      "    return 2;",
      "  }",
      "  return [1].map((x) => {",
      "    return x;",
      "  });",
      "}",
      "function two({",
      "  a,",
      "}: X): void {",
      "  run(a);",
      "}",
      "const three = {",
      "  four(",
      "    a: number,",
      "  ): number {",
      "    return a;",
      "  },",
      "};",
    ].join("\n");
    expect(functionsOf(source(text)).map(({ name, line, lengthLines }) => [name, line, lengthLines])).toEqual(
      [
        ["one", 1, 8],
        ["function", 5, 3],
        ["two", 9, 5],
        ["four", 15, 5],
      ],
    );
  });

  test("words in comments and strings are not code, what stands in a template's braces is", () => {
    const code = codeOnly(
      'const a = "enum X {"; // enum Y {\nconst b = `enum $' + '{Z} {`; const c = /"/; enum W {',
    );
    expect(code.match(/\benum \w+/g)).toEqual(["enum W"]);
    expect(code).toContain("{Z}");
  });

  test("constructs and heads", () => {
    expect(
      constructs(source("\n@decorated\nclass A extends B {}\nexport default 1;\nclass E extends Error {}")),
    ).toEqual([
      "src/kernel/x.ts:4: export default; export it by name",
      "src/kernel/x.ts:3: class A extends; use functions over plain data; only errors inherit",
      "src/kernel/x.ts:2: @decorated; call a function instead of a decorator",
    ]);
    expect(missingFromHead(source("/** Models: mm/x.c */\n"))).toHaveLength(1);
    expect(missingFromHead(source("const x = 1;"))).toHaveLength(1);
  });
});
