/**
 * `npm test`: every gate of the project, in order, each even when one before it failed.
 *
 *     types ─▶ pure types ─▶ page's types ─▶ lint ─▶ vitest (unit, fuzz, tidy, golden) ─▶ package
 *
 * The last line is `N passed, N failed` alone: the tests that vitest counted, one for each other gate. A gate
 * that crashes, is killed or takes longer than its limit has failed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";

interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** What failed, said again at the end, where the last lines of a long log still show it. */
  readonly failures?: readonly string[];
}

const root = join(import.meta.dirname, "..");
const bin = join(root, "node_modules", ".bin");
/** A busy machine takes three times as long as an idle one, and that is no failure. */
const GATE_LIMIT_MS = 16 * 60 * 1000;
const LINES_OF_A_FAILURE = 8;

/** Runs a program of node_modules/.bin, or a `.ts` file of ours with this Node. */
function runs(program: string, ...options: string[]): boolean {
  const [command, prefix] = program.endsWith(".ts")
    ? [process.execPath, [...process.execArgv, join(root, program)]]
    : [join(bin, program), []];
  console.log(`\n▶ ${[program, ...options].join(" ")}`);
  const { status, signal, error } = spawnSync(command, [...prefix, ...options], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: GATE_LIMIT_MS,
    env: { ...process.env, PATH: bin + delimiter + process.env.PATH, TZ: "UTC", LC_ALL: "C.UTF-8" },
  });
  if (error !== undefined) console.error(`${program}: ${error.message}`);
  else if (signal !== null) console.error(`${program}: ended by ${signal}`);
  return status === 0;
}

function gate(program: string, ...options: string[]): Tally {
  return runs(program, ...options) ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** The part of vitest's JSON report that is counted. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** The failed tests of a file, each with the first lines of what it said. */
function failuresOf({ name, status, assertionResults }: VitestReport["testResults"][number]): string[] {
  const file = relative(root, name);
  const failed = assertionResults.filter((one) => one.status === "failed");
  if (status === "failed" && failed.length === 0) return [`${file}: failed outside of its tests`];
  return failed.map(({ fullName, failureMessages }) => {
    const said = failureMessages.join("\n").split("\n").slice(0, LINES_OF_A_FAILURE);
    return [`${file}: ${fullName}`, ...said].join("\n       ");
  });
}

/** vitest counts its tests; a file that fails without a failed test did not load, and is one failure. */
function vitestGate(): Tally {
  const directory = mkdtempSync(join(tmpdir(), "pagewise-test-"));
  try {
    const file = join(directory, "report.json");
    const succeeded = runs("vitest", "run", "--reporter=dot", "--reporter=json", `--outputFile.json=${file}`);
    if (!existsSync(file)) return { passed: 0, failed: 1 };
    const report = JSON.parse(readFileSync(file, "utf8")) as VitestReport;
    if (report.numPendingTests > 0) console.log(`${report.numPendingTests} skipped`);
    const failures = report.testResults.flatMap(failuresOf);
    const failed = failures.length === 0 && !succeeded ? 1 : failures.length;
    return { passed: report.numPassedTests, failed, failures };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const GATES: readonly { readonly name: string; readonly run: () => Tally }[] = [
  { name: "types", run: () => gate("tsc", "--noEmit") },
  { name: "types of the pure folders", run: () => gate("tsc", "--noEmit", "-p", "tsconfig.pure.json") },
  { name: "types of the page", run: () => gate("tsc", "--noEmit", "-p", "src/web") },
  { name: "lint", run: () => gate("biome", "check") },
  { name: "tests", run: vitestGate },
  { name: "package", run: () => gate("test/pack.ts") },
];

const results = GATES.map(({ name, run }) => {
  const start = performance.now();
  let tally: Tally = { passed: 0, failed: 1 };
  try {
    tally = run();
  } catch (error) {
    console.error(error);
  }
  return { name, ...tally, seconds: (performance.now() - start) / 1000 };
});

console.log("");
for (const { name, passed, failed, failures = [], seconds } of results) {
  console.log(
    `${failed === 0 ? "ok    " : "FAILED"} ${name} (${passed}/${passed + failed}, ${seconds.toFixed(1)} s)`,
  );
  for (const failure of failures) console.log(`       ${failure}`);
}
const sum = (key: "passed" | "failed") => results.reduce((total, result) => total + result[key], 0);
process.exitCode = sum("failed") === 0 && sum("passed") > 0 ? 0 : 1;
console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
