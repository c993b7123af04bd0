/**
 * Same input, same bytes: one script and one real trace, simulated again and again where things could differ.
 *
 *     sources, this Node ──┬─▶ golden file
 *     the same again ──────┤
 *     built, this Node ────┤   all the same text: figures and the SHA-256 of all results
 *     built, Node 20 ──────┤
 *     built, in a worker ──┘
 */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Worker } from "node:worker_threads";
import zlib from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as library from "../src/index.ts";
import { copyTrace } from "../src/workloads/trace/copy.ts";
import { expectGolden } from "./samples/golden.ts";

const root = join(import.meta.dirname, "..");
const program = join(root, "test", "samples", "same-bytes.mjs");
const folder = mkdtempSync(join(tmpdir(), "pagewise-same-"));
const built = join(folder, "dist", "index.js");
const SETUP_LIMIT_MS = 120_000;
/** What every place must say. */
let fromSources = "";

/** A node of that major version on PATH. */
function nodeOfMajor(major: number): string | undefined {
  const places = (process.env.PATH ?? "").split(delimiter).map((place) => join(place, "node"));
  return places.find((place) => {
    if (!existsSync(place)) return false;
    const { stdout } = spawnSync(place, ["-p", "process.versions.node"], { encoding: "utf8" });
    return Number((stdout ?? "").split(".")[0]) === major;
  });
}

const node20 = nodeOfMajor(20);

function runWith(node: string): string {
  const { status, stdout, stderr } = spawnSync(node, [program, folder, built], { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return stdout;
}

async function simulateFromSources(): Promise<string> {
  // The samples run on every Node, without types: the path is not one that the compiler follows.
  const samples = (await import(program)) as { sameBytes(from: typeof library, folder: string): string };
  return samples.sameBytes(library, folder);
}

beforeAll(async () => {
  copyFileSync(join(root, "test", "samples", "same-bytes.pw"), join(folder, "same-bytes.pw"));
  // Node 20 has no zstd: the trace goes in unpacked.
  const packed = readFileSync(join(root, "examples", "redis.pwt"));
  const trace = library.openTrace(packed, { zstd: (bytes) => zlib.zstdDecompressSync(bytes) });
  const writer = library.makeMemoryWriter({ codec: "none" });
  copyTrace(trace, writer);
  writer.end();
  writeFileSync(join(folder, "redis.pwt"), writer.bytes());
  const tsc = join(root, "node_modules", ".bin", "tsc");
  const build = spawnSync(tsc, ["-p", "tsconfig.build.json", "--outDir", join(folder, "dist")], {
    cwd: root,
    encoding: "utf8",
  });
  expect(build.status, build.stdout).toBe(0);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  fromSources = await simulateFromSources();
}, SETUP_LIMIT_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a script and a real trace give the bytes that they always gave", async () => {
  await expectGolden("same-bytes", fromSources, "test/determinism.test.ts");
});

test("a second run in the same process gives the same bytes", async () => {
  expect(await simulateFromSources()).toBe(fromSources);
});

test(`the built library gives the same bytes under this Node (${process.versions.node})`, () => {
  expect(runWith(process.execPath)).toBe(fromSources);
});

test.skipIf(node20 === undefined)(
  `the built library gives the same bytes under Node 20${node20 ? "" : " (not run: no Node 20 on PATH)"}`,
  () => {
    expect(runWith(node20!)).toBe(fromSources);
  },
);

test("the built library gives the same bytes inside a worker thread", async () => {
  const worker = new Worker(program, { workerData: [folder, built] });
  const text = await new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the worker ended with ${code} and said nothing`)));
  });
  await worker.terminate();
  expect(text).toBe(fromSources);
});
