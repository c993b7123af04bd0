import { describe, expect, test } from "vitest";
import { codeOnly, expectNone, importsOf, isTest, lineAt, type Source, typescriptIn } from "./sources.ts";

/** Folders of src from the top down: a folder imports itself and what stands above it. */
const LAYERS = [
  "lib",
  "core",
  "kernel",
  "generations",
  "workloads",
  "hardware",
  "metrics",
  "engine",
  "report",
  "explore",
  "validate",
  "record",
  "sweep",
  "cli",
  "web",
];

/** Where the order alone would allow too much. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  // What a program does is the same on every kernel.
  workloads: ["kernel", "generations"],
  // A hardware description knows what the kernel charges for, not which kernel it is.
  hardware: ["generations", "workloads"],
  // The faces stand side by side.
  web: ["cli"],
};

/** Folders that touch the host; all others are pure. */
const HOST_FOLDERS = ["cli", "record", "validate", "sweep", "web"];

/** What a pure folder may not say, and what it says instead. */
const BANNED: readonly (readonly [RegExp, string])[] = [
  [/\bDate\b/g, "take time from the engine: simulated ns"],
  [/\bperformance\./g, "take time from the engine: simulated ns"],
  [/\bMath\.random\b/g, "take numbers from lib/prng.ts with the run's seed"],
  [/\bcrypto\./g, "take numbers from lib/prng.ts with the run's seed"],
  [/\bconsole\./g, "return text, or emit an event: only the command line prints"],
  // A trace has processes too: only what Node's `process` has is meant.
  [
    /\bprocess\.(env|argv|exit\w*|cwd|std\w+|hrtime|memoryUsage|nextTick|on|platform|versions?)\b/g,
    "let the command line pass it in",
  ],
  [/\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/g, "schedule on the engine's event queue"],
  [
    /\blocaleCompare\b|\btoLocale\w+|\bIntl\./g,
    "compare with < and print by the one formatter: locales differ",
  ],
  [/\b(document|window|navigator|globalThis)\./g, "leave the host to the faces (cli, web)"],
];

const sources = typescriptIn("src").filter(({ path }) => !isTest(path));
const layerOf = (path: string) => (path.split("/").length > 2 ? path.split("/")[1]! : "");
const pure = sources.filter(({ path }) => !HOST_FOLDERS.includes(layerOf(path)));

function wrongImports(source: Source): string[] {
  const from = layerOf(source.path);
  return importsOf(source).flatMap(({ target, line }) => {
    if (target === undefined) return [];
    const to = layerOf(target);
    const where = `${source.path}:${line}: ${from || "src"} imports ${target}`;
    if (!target.startsWith("src/")) return [`${where}; src uses nothing outside of src`];
    // src/index.ts is the library's entry: it may name every part but the faces.
    if (from === "") return to === "cli" || to === "web" ? [`${where}; a library has no face`] : [];
    if (LAYERS.indexOf(to) <= LAYERS.indexOf(from) && !(FORBIDDEN[from] ?? []).includes(to)) return [];
    return [`${where}; move what both need into a folder above ${from}, or pass it in from engine`];
  });
}

function bannedWords(source: Source): string[] {
  const code = codeOnly(source.text);
  return BANNED.flatMap(([word, instead]) =>
    [...code.matchAll(word)].map(
      (match) => `${source.path}:${lineAt(code, match.index)}: ${match[0]}; ${instead}`,
    ),
  );
}

describe("layers", () => {
  test("every folder of src stands in the table of layers", () => {
    const unknown = sources.filter(({ path }) => layerOf(path) !== "" && !LAYERS.includes(layerOf(path)));
    expectNone(
      unknown.map(({ path }) => `${path}:1: unknown layer; add its folder to LAYERS and ARCHITECTURE.md`),
    );
  });

  test("a folder imports only itself and what stands above it", () => {
    expectNone(sources.flatMap(wrongImports));
  });

  test("pure folders say nothing that depends on the host", () => {
    expectNone(pure.flatMap(bannedWords));
  });

  test("pure folders import no module of Node and no package with a host inside", () => {
    // smol-toml is a parser without dependencies: text in, values out.
    const allowed = ["smol-toml"];
    const found = pure.flatMap((source) =>
      importsOf(source)
        .filter(({ specifier, target }) => target === undefined && !allowed.includes(specifier))
        .map(
          ({ specifier, line }) =>
            `${source.path}:${line}: imports ${specifier}; pass its result in from cli`,
        ),
    );
    expectNone(found);
  });

  test("the rules see what they must see", () => {
    const bad: Source = {
      path: "src/workloads/bad.ts",
      text: 'import { x } from "../kernel/state.ts";\n// Date is fine here\nconst t = Date.now() + "Date";\n',
      lines: [],
    };
    expect(wrongImports(bad)).toHaveLength(1);
    expect(bannedWords(bad)).toEqual([
      "src/workloads/bad.ts:3: Date; take time from the engine: simulated ns",
    ]);
  });
});
