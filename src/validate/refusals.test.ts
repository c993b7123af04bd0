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
import { lacksOf } from "./guest-output.ts";
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

test("a kernel that lacks what scripts are about is told of, in a line each", () => {
  const kernel = { release: "6.1", version: "#1", thp: "always [madvise] never", nodes: "0-1", cpus: "0-3" };
  expect(lacksOf(kernel)).toEqual([]);
  expect(lacksOf({ ...kernel, thp: "none", nodes: "none" })).toEqual([
    expect.stringContaining("no transparent huge pages"),
    expect.stringContaining("knows no NUMA"),
  ]);
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
