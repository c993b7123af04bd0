import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeUserError, UserError } from "../src/lib/assert.ts";
import { parseScript } from "../src/workloads/script/parse.ts";
import { STATEMENTS } from "../src/workloads/script/statements.ts";
import { headOf, renderMechanisms, withGenerated } from "../tools/fidelity.ts";
import { renderKnobs } from "../tools/knobs.ts";
import { renderWorkloads } from "../tools/workloads.ts";

const root = join(import.meta.dirname, "..");
const readDoc = (path: string) => readFileSync(join(root, path), "utf8");

/** The blocks of a document that are workload scripts: of no other language, and mapping something. */
function scriptsOf(path: string): string[] {
  const blocks = [...readDoc(path).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter((match) => match[1] === "")
    .map((match) => match[2]!);
  return blocks.filter((block) => /^map /m.test(block));
}

describe("documents are true", () => {
  test.each(["README.md", "docs/workload-scripts.md"])("every script in %s is one", (path) => {
    const scripts = scriptsOf(path);
    expect(scripts.length).toBeGreaterThan(0);
    for (const script of scripts) expect(parseScript(script, path).body.length).toBeGreaterThan(0);
  });

  test("docs/workload-scripts.md describes every statement that the parser knows, and no other", () => {
    const table = readDoc("docs/workload-scripts.md").split("## Statements")[1]!.split("\n## ")[0]!;
    const described = [...table.matchAll(/^\| `(\w+)|, `(read) …/gm)].map((match) => match[1] ?? match[2]!);
    const directives = ["machine", "set", "tolerance", "expect"];
    expect([...new Set(described)].sort()).toEqual([...directives, ...Object.keys(STATEMENTS)].sort());
  });

  test("the message that docs/workload-scripts.md shows is the message", () => {
    const script = "map b 2M\nmap buf 4M\nadvise buf 0..2M hugepages\n";
    let said = "";
    try {
      parseScript(script, "race.pw");
    } catch (error) {
      if (error instanceof UserError) said = describeUserError(error);
    }
    expect(readDoc("docs/workload-scripts.md")).toContain(said);
    expect(said).not.toBe("");
  });

  test("docs/FIDELITY.md says what the heads of the kernel files say (npm run docs)", () => {
    const document = readDoc("docs/FIDELITY.md");
    expect(withGenerated(document, "mechanisms", renderMechanisms(root))).toBe(document);
  });

  test("docs/FIDELITY.md has every kernel file that says what it leaves out", () => {
    const kernel = join(root, "src", "kernel");
    const names = readdirSync(kernel, { recursive: true, encoding: "utf8" }).filter((name) =>
      /^(?!testing\/)(?!.*\/?test-).*(?<!\.test|\.fuzz)\.ts$/.test(name),
    );
    const mechanisms = renderMechanisms(root);
    const missing = names.filter((name) => {
      if (headOf(readFileSync(join(kernel, name), "utf8")) === undefined) return false;
      const [, section = ""] = mechanisms.split(`### \`${join("kernel", dirname(name))}/\``);
      const [table = ""] = section.split("\n### ");
      return !table.includes(`| \`${basename(name)}\` |`);
    });
    expect(missing).toEqual([]);
  });

  test("docs/knobs.md says what the knobs' declarations say (npm run docs)", () => {
    expect(readDoc("docs/knobs.md")).toBe(renderKnobs());
  });

  test("docs/workloads.md says what the workloads' declarations say (npm run docs)", () => {
    expect(readDoc("docs/workloads.md")).toBe(renderWorkloads());
  });

  test("a head is read to the end of its labels, and its summary is one sentence", () => {
    const lines = [
      "pages: adds one",
      "by one. Slowly.",
      "",
      "    a ─▶ b",
      "",
      "Models:       mm/x.c one(),",
      "              two(), v6.1.",
      "Not modelled: much.",
    ];
    const text = `/**\n${lines.map((line) => ` * ${line}`.trimEnd()).join("\n")}\n */\nconst x = 1;\n`;
    expect(headOf(text)).toEqual({
      summary: "pages: adds one by one.",
      models: "mm/x.c one(), two(), v6.1.",
      notModelled: "much.",
    });
    expect(headOf("/** Types. */\n")).toBeUndefined();
  });

  test("every script in examples is one", () => {
    const names = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".pw"));
    expect(names).toContain("first.pw");
    for (const name of names) parseScript(readDoc(`examples/${name}`), name);
  });

  test("every command that README.md and docs name is one of --help", () => {
    const documents = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)];
    const texts = documents.filter((path) => path.endsWith(".md")).map(readDoc);
    const named = texts.flatMap((text) =>
      [...text.matchAll(/(?:npx |`)pagewise ([a-z]+)/g)].map((m) => m[1]!),
    );
    const help = spawnSync(process.execPath, [join(root, "bin", "pagewise.js"), "--help"], {
      encoding: "utf8",
    });
    const known = [...help.stdout.matchAll(/^ {2}([a-z]+)\b/gm)].map((match) => match[1]!);
    expect([...new Set(named)].filter((name) => !known.includes(name))).toEqual([]);
  });
});
