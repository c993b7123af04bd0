/**
 * What a validation needs and does not find: one line that says what to install or pass, exit status 2, and
 * no file left behind.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseScript } from "../workloads/script/parse.ts";
import { lackOf } from "./demand-kernel.ts";
import { demandHost } from "./host-run.ts";

const folder = mkdtempSync(join(tmpdir(), "pagewise-validate-"));
afterAll(() => rmSync(folder, { recursive: true }));
const main = join(import.meta.dirname, "..", "cli", "main.ts");
const SCRIPT = "machine nodes=1 cpus=2 mem=1G\nmap a 4K\nwrite a\nsnapshot s\n";
writeFileSync(join(folder, "a.pw"), SCRIPT);

/** A folder of programs of which each only exists. */
function programs(...names: readonly string[]): string {
  const bin = mkdtempSync(join(folder, "bin-"));
  for (const name of names) {
    writeFileSync(join(bin, name), '#!/bin/sh\necho "some emulator version 0"\n');
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

/** A cache that holds a kernel of that name. */
function cacheWith(...kernels: readonly string[]): string {
  const cache = mkdtempSync(join(folder, "cache-"));
  for (const kernel of kernels) {
    mkdirSync(join(cache, kernel));
    writeFileSync(join(cache, kernel, "vmlinuz"), "no kernel");
    writeFileSync(join(cache, kernel, "package.txt"), "none 0\n");
  }
  return cache;
}

function validate(path: string, cache: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [main, "validate", "a.pw", "--cache", cache, ...args],
    { encoding: "utf8", cwd: folder, env: { PATH: path } },
  );
  return { status, stdout, stderr };
}

const QEMU = "qemu-system-x86_64";

test.each([
  [
    "no kernel",
    [QEMU, "cc"],
    [],
    [],
    /^pagewise: not run: no kernel debian-6\.1 in .*; 'pagewise validate --setup/,
  ],
  [
    "no QEMU",
    ["cc"],
    ["debian-6.1"],
    [],
    /^pagewise: not run: qemu-system-x86_64 is missing: apt-get install/,
  ],
  ["no compiler", [QEMU], ["debian-6.1"], [], /^pagewise: a C compiler .* is missing: apt-get install gcc/],
  [
    "an image that is not there",
    [QEMU],
    [],
    ["--kernel", "vmlinux"],
    /^pagewise: --kernel: expected debian-6\.1/,
  ],
  [
    "an image of no generation",
    [QEMU],
    [],
    ["--kernel", "a.pw"],
    /^pagewise: a\.pw: which generation is this/,
  ],
] as const)("%s", (_, installed, kernels, args, message) => {
  const cache = cacheWith(...kernels);
  const { status, stdout, stderr } = validate(programs(...installed), cache, ...args);
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect([status, stdout]).toEqual([2, ""]);
  expect(readdirSync(cache)).toEqual([...kernels]);
});

const KERNEL = { release: "6.1", version: "#1", thp: "always [madvise] never", nodes: "0-1", cpus: "0-3" };

test("a kernel that lacks what scripts are about is told of, with what it needs", () => {
  const asked = (line: string) => [{ script: parseScript(`${line}\nsnapshot s\n`, "a.pw"), text: "" }];
  const scattered = asked("machine nodes=2 cpus=2 mem=1G");
  expect(lackOf(KERNEL, scattered)).toBe(undefined);
  expect(lackOf({ ...KERNEL, thp: "none" }, scattered)).toMatch(/no transparent huge pages.*CONFIG_TRANS/);
  expect(lackOf({ ...KERNEL, nodes: "none" }, scattered)).toMatch(/no NUMA, and a\.pw wants 2 nodes.*CONFIG/);
  expect(lackOf({ ...KERNEL, nodes: "none" }, asked("machine nodes=1 cpus=2 mem=1G"))).toBe(undefined);
});

/** Programs of which the virtual machine says just that on its console. */
function machineThatSays(...console: readonly string[]): string {
  const bin = programs("cc", QEMU);
  const put = (name: string, text: string): void => writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
  put("cc", '[ "$1" = --version ] && exit\nwhile [ "$1" != -o ]; do shift; done\n: > "$2"');
  const says = console.map((line) => `echo '${line}'`).join("\n");
  put(QEMU, `[ "$1" = --version ] && { echo "an emulator"; exit; }\n${says}`);
  return bin;
}

test.each([
  [
    "has no huge pages",
    [`@@boot-001 kernel ${JSON.stringify({ ...KERNEL, thp: "none" })}`, "@@boot-001 over"],
    /^pagewise: not run: Linux 6\.1 has no transparent huge pages: it needs CONFIG_\w+=y, or another kernel/,
  ],
  [
    "panics",
    ["Kernel panic"],
    /^pagewise: not run: the kernel never spoke: the guest left early \(a panic\?\)/,
  ],
])("a kernel that %s ends the run with one mistake", (_, console, message) => {
  const { status, stdout, stderr } = validate(
    machineThatSays(...console),
    cacheWith("debian-6.1"),
    ...["--accel", "tcg"],
  );
  expect(stderr).toMatch(message);
  expect(stderr.match(/pagewise:/g)).toHaveLength(1);
  expect([status, stdout]).toEqual([2, "an emulator; software emulation, as asked\n"]);
});

test("what --setup finds missing is a mistake that it names", () => {
  const { status, stdout, stderr } = validate(programs(), cacheWith("debian-6.1"), "--setup");
  expect(stdout.split("\n").slice(0, 2)).toEqual([
    "MISSING  qemu-system-x86_64 is missing: apt-get install qemu-system-x86",
    "MISSING  a C compiler that links statically is missing: apt-get install gcc libc6-dev",
  ]);
  expect([status, stderr]).toEqual([2, ""]);
});

test("a cache that cannot be made is a mistake", () => {
  const { status, stdout, stderr } = validate(programs(), "/proc/nowhere/cache");
  expect(stderr).toMatch(/^pagewise: \/proc\/nowhere\/cache: the cache folder cannot be made: .*\n$/);
  expect([status, stdout]).toEqual([2, ""]);
});

test("this machine is asked only as root, and only for what it has", () => {
  const host = { platform: "linux", uid: 0, cpus: 2 };
  const asking = (line: string, facts = host) => {
    const text = `${line}\nmap a 4K\nsnapshot s\n`;
    return () => demandHost([{ script: parseScript(text, "a.pw"), text }], facts);
  };
  expect(asking("machine nodes=1 cpus=2 mem=1G")).not.toThrow();
  expect(asking("machine nodes=1 cpus=2 mem=1G", { ...host, uid: 1000 })).toThrow(/needs root: use sudo/);
  expect(asking("machine nodes=1 cpus=2 mem=1G", { ...host, platform: "darwin" })).toThrow(/needs Linux/);
  expect(asking("machine nodes=2 cpus=2 mem=1G")).toThrow(/one node/);
  expect(asking("machine nodes=1 cpus=4 mem=1G")).toThrow(/fewer CPUs/);
  expect(asking("machine nodes=1 cpus=2 mem=1G swap=1G")).toThrow(/no swap of its own/);
});
