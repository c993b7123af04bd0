import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allPaths, expectNone, ROOT, readSource, type Source } from "./sources.ts";

/** What people write. Traces and recordings may hold any path of the machine they came from. */
const TEXT = /\.(ts|js|mjs|json|md|toml|pw|sh|yml|html|css)$|^\.[\w-]+$|(^|\/)\.ci\/run$|LICENSE$/;
const BYTES_MAX = 2_000_000;

/** Paths that exist on one machine only. `/tmp` and `/usr` are everywhere. */
const MACHINE_PATH = /(?<![\w.}])\/(work|home\/\w+|root|Users\/\w+|mnt)\//;
/** A package registry, by the words in host names. */
const REGISTRY_HOST = /https?:\/\/[^\s"'/]*(registry|mirror|artifactory|nexus|verdaccio|proxy)/i;

const texts = allPaths()
  .filter((path) => TEXT.test(path))
  .filter((path) => statSync(join(ROOT, path)).size < BYTES_MAX)
  .map(readSource);

function linesThat(source: Source, pattern: RegExp, instead: string): string[] {
  return source.lines.flatMap((line, index) => {
    const found = pattern.exec(line);
    return found === null ? [] : [`${source.path}:${index + 1}: ${found[0]}; ${instead}`];
  });
}

/** The anchor that a heading of Markdown gets. */
function anchorOf(heading: string): string {
  return heading
    .replace(/[`*]/g, "")
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replace(/ /g, "-");
}

function anchorsOf(path: string): string[] {
  return readSource(path)
    .lines.filter((line) => /^#+ /.test(line))
    .map((line) => anchorOf(line.replace(/^#+ /, "")));
}

/** Links of a Markdown file, outside of code, that lead nowhere in the repository. */
function brokenLinks({ path, lines }: Source): string[] {
  let isCode = false;
  return lines.flatMap((line, index) => {
    if (line.startsWith("```")) isCode = !isCode;
    if (isCode) return [];
    return [...line.replace(/`[^`]*`/g, "").matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
      const [file, anchor] = match[1]!.split("#") as [string, string | undefined];
      if (/^[a-z]+:/.test(match[1]!)) return [];
      const target = file === "" ? path : join(path, "..", file);
      const where = `${path}:${index + 1}: ${match[1]}`;
      if (!existsSync(join(ROOT, target))) return [`${where}; no such file: name one that exists`];
      if (anchor === undefined || !target.endsWith(".md") || anchorsOf(target).includes(anchor)) return [];
      return [`${where}; no such heading in ${target}`];
    });
  });
}

describe("repository", () => {
  test("no file names a path of the machine it was written on", () => {
    const instead = "use a path from the repository's root, or a temporary directory";
    expectNone(texts.flatMap((source) => linesThat(source, MACHINE_PATH, instead)));
  });

  test("no file names a package registry's host", () => {
    expectNone(
      texts.flatMap((source) => linesThat(source, REGISTRY_HOST, "leave the registry to npm's settings")),
    );
  });

  test("package-lock.json locks by integrity and resolves nowhere in particular", () => {
    const lock = readSource("package-lock.json");
    expectNone(linesThat(lock, /"resolved": "\w+:/, "run npm with omit-lockfile-registry-resolved=true"));
    expect(lock.text).toContain('"integrity"');
  });

  test("package.json and package-lock.json agree on versions, and versions are exact", () => {
    const manifest = JSON.parse(readSource("package.json").text);
    const locked = JSON.parse(readSource("package-lock.json").text).packages[""];
    for (const key of ["dependencies", "devDependencies", "optionalDependencies"]) {
      expect(locked[key]).toEqual(manifest[key]);
      for (const version of Object.values(manifest[key] ?? {})) expect(version).toMatch(/^\d+\.\d+\.\d+/);
    }
  });

  test("links in Markdown lead to files and headings that exist", () => {
    expectNone(texts.filter(({ path }) => path.endsWith(".md")).flatMap(brokenLinks));
  });

  test("text ends with a newline and uses no tabs or carriage returns", () => {
    const bad = texts.filter(
      ({ path, text }) => !/\.json$/.test(path) && text !== "" && !text.endsWith("\n"),
    );
    expectNone([
      ...bad.map(({ path, lines }) => `${path}:${lines.length}: no newline at the end; add one`),
      ...texts.flatMap((source) => linesThat(source, /[\t\r]/, "use spaces and line feeds")),
    ]);
  });

  test("the rules see what they must see", () => {
    const source = (...lines: string[]): Source => ({ path: "README.md", text: lines.join("\n"), lines });
    expect(
      brokenLinks(source("[a](nowhere.md) [b](package.json) `[c](no)`", "```", "[d](no)", "```")),
    ).toHaveLength(1);
    expect(linesThat(source("x", "see /" + "work/main/x"), MACHINE_PATH, "")).toHaveLength(1);
    expect(linesThat(source("http://" + "registry.example/x"), REGISTRY_HOST, "")).toHaveLength(1);
  });
});
