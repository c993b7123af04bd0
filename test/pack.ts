/**
 * The package as its users get it: packed, installed in an empty folder elsewhere, used as a command and as a
 * library.
 *
 *     npm pack ─▶ publint ─▶ npm install TARBALL ─▶ pagewise --version, --help
 *                                              ├──▶ import "pagewise", typed ─▶ the same on an older Node
 *                                              └──▶ the programs of docs/library.md, compiled and run
 *
 * Run by `npm test`, or alone by `node test/pack.ts`; leaves nothing behind but `dist/`.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const root = join(import.meta.dirname, "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const LIMIT_MS = 5 * 60 * 1000;
const MIB = 1024 * 1024;
/** A package that grew past this holds something that it should not. */
const PACKED_BYTES_MAX = 4 * MIB;

/** Runs a program without input and answers with what it printed; anything but success ends the test. */
function run(cwd: string, command: string, ...options: string[]): string {
  const result = spawnSync(command, options, {
    cwd,
    encoding: "utf8",
    timeout: LIMIT_MS,
    stdio: ["ignore", "pipe", "pipe"],
    // What npm tells its scripts about this project would mislead the npm that runs in the other folder.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^npm_(?!config_registry)/i.test(name)),
    ),
  });
  const line = [command, ...options].join(" ");
  const said = result.error?.message ?? `${result.stdout}${result.stderr}`;
  assert.equal(result.status, 0, `${line}: exit status ${result.status}\n${said}`);
  console.log(`ok  ${line.replaceAll(root, ".")}`);
  return result.stdout;
}

/** Another Node on PATH, of another major version than this one: package users have it, we have two. */
function otherNode(): string | undefined {
  const candidates = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "node"));
  const own = process.versions.node.split(".")[0];
  return candidates.find((path) => {
    if (!existsSync(path)) return false;
    const version = spawnSync(path, ["-p", "process.versions.node"], { encoding: "utf8" }).stdout ?? "";
    return Number(version.split(".")[0]) >= 20 && version.split(".")[0] !== own;
  });
}

function pack(folder: string): string {
  run(root, "npm", "pack", "--silent", "--pack-destination", folder);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  assert.ok(tarball !== undefined, "npm pack makes one .tgz file");
  const packedBytes = readFileSync(join(folder, tarball)).length;
  assert.ok(
    packedBytes < PACKED_BYTES_MAX,
    `the package has ${packedBytes} bytes, at most ${PACKED_BYTES_MAX}`,
  );
  return join(folder, tarball);
}

/** What the package holds once it is installed. */
function checkContents(installed: string): void {
  for (const path of [
    "LICENSE",
    "README.md",
    "ARCHITECTURE.md",
    "bin/pagewise.js",
    "dist/index.js",
    "dist/index.d.ts",
    "dist/web/index.html",
  ]) {
    assert.ok(existsSync(join(installed, path)), `the package holds ${path}`);
  }
  const files = readdirSync(installed, { recursive: true, encoding: "utf8" });
  const strange = files.filter((path) =>
    /(^|\/)node_modules\/|\.(test|fuzz|bench)\.|(?<!\.d)\.ts$/.test(path),
  );
  assert.deepEqual(
    strange.filter((path) => !path.startsWith("node_modules/")),
    [],
    "the package holds no sources or tests",
  );
}

function useAsCommand(folder: string, node: string): void {
  const command = join(folder, "node_modules", "pagewise", "bin", "pagewise.js");
  assert.equal(run(folder, node, command, "--version").trim(), manifest.version);
  assert.match(run(folder, node, command, "--help"), /Usage: pagewise/);
}

function useAsLibrary(folder: string, node: string): void {
  const program = 'import * as p from "pagewise"; console.log(Object.keys(p).sort().join(" "));';
  writeFileSync(join(folder, "use.mjs"), program);
  assert.match(run(folder, node, "use.mjs"), /\bsimulate\b/, "the library exports simulate");
}

/** A TypeScript user's strict compiler accepts the declarations, without Node's types or the DOM's. */
function useTyped(folder: string): void {
  writeFileSync(
    join(folder, "use.ts"),
    'import { simulate } from "pagewise";\nexport const run: typeof simulate = simulate;\n',
  );
  const compilerOptions = {
    module: "NodeNext",
    target: "ES2023",
    lib: ["ES2023"],
    types: [],
    strict: true,
    noEmit: true,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
  run(folder, join(root, "node_modules", ".bin", "tsc"), "-p", "tsconfig.json");
}

/** The programs of docs/library.md and what the document says that they print. */
function documentedPrograms(): { program: string; prints: string }[] {
  const text = readFileSync(join(root, "docs", "library.md"), "utf8");
  const blocks = text.matchAll(/^```ts\n([\s\S]*?)^```\n\nprints\n\n```text\n([\s\S]*?)^```$/gm);
  return [...blocks].map((match) => ({ program: match[1]!, prints: match[2]! }));
}

/** The programs of docs/library.md compile under a strict compiler, and print what the document says. */
function useAsDocumented(folder: string): void {
  const programs = documentedPrograms();
  assert.equal(programs.length, 2, "docs/library.md holds two programs with what they print");
  const files = programs.map((_, index) => `documented-${index + 1}`);
  programs.forEach(({ program }, index) => {
    writeFileSync(join(folder, `${files[index]}.mts`), program);
  });
  const compilerOptions = {
    module: "NodeNext",
    target: "ES2023",
    lib: ["ES2023"],
    types: ["node"],
    typeRoots: [join(root, "node_modules", "@types")],
    strict: true,
  };
  const config = { compilerOptions, files: files.map((name) => `${name}.mts`) };
  writeFileSync(join(folder, "tsconfig.documented.json"), JSON.stringify(config));
  run(folder, join(root, "node_modules", ".bin", "tsc"), "-p", "tsconfig.documented.json");
  programs.forEach(({ prints }, index) => {
    const printed = run(folder, process.execPath, `${files[index]}.mjs`);
    assert.equal(printed, prints, `program ${index + 1} of docs/library.md prints what stands below it`);
  });
}

const temporary = mkdtempSync(join(tmpdir(), "pagewise-pack-"));
try {
  const tarball = pack(temporary);
  run(root, join(root, "node_modules", ".bin", "publint"), "--strict", tarball);
  const folder = join(temporary, "elsewhere");
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "name": "elsewhere", "private": true, "type": "module" }\n');
  run(folder, "npm", "install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", tarball);
  checkContents(join(folder, "node_modules", "pagewise"));
  useTyped(folder);
  useAsDocumented(folder);
  const other = otherNode();
  for (const node of [process.execPath, ...(other === undefined ? [] : [other])]) {
    useAsCommand(folder, node);
    useAsLibrary(folder, node);
  }
  if (other === undefined) console.log("not run: the package on an older Node (no other Node on PATH)");
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
