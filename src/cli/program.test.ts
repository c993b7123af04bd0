import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "pagewise-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));
const main = join(import.meta.dirname, "main.ts");

/** Runs the command line as a shell would; what it printed, and its exit code. */
function pagewise(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: "utf8",
    cwd: folder,
  });
  return { code: status, out: stdout, err: stderr };
}

/** A file of the folder. */
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

const MACHINE = "machine nodes=1 cpus=2 mem=256M\nset transparent_hugepage/enabled always\n";
const good = file(
  "good.pw",
  `${MACHINE}map a 4M align 2M\nwrite a\nsnapshot s\nexpect thp_fault_alloc == 2\n`,
);
const broken = file(
  "broken.pw",
  `${MACHINE}map a 4M align 2M\nwrite a\nsnapshot s\nexpect thp_fault_alloc == 3\n`,
);
const strange = file("strange.json", '{"source": "x", "columns": [{"column": "nosuch", "page_faults": 3}]}');

test("a mistake exits with 2 and suggests what was meant", () => {
  const table: [string[], RegExp][] = [
    [["compre"], /unknown command 'compre'\n\(Did you mean compare\?\)/],
    [["run", good, "--sead", "1"], /unknown option '--sead'\n\(Did you mean --seed\?\)/],
    [["run", "god.pw"], /^pagewise: god\.pw: no such file; did you mean 'good\.pw'\?\n$/],
    [
      ["run", good, "--generation", "linux-61"],
      /--generation: expected one of .*; did you mean 'linux-6\.1'\?/,
    ],
    [["run", good, "--set", "max_pte_none=1"], /did you mean 'max_ptes_none'\?/],
    [["run", good, "--hardware", "zen44"], /--hardware: expected one of .*; did you mean 'zen4'\?/],
    [["run", good, "--report", "nowhere/x.html"], /nowhere\/x\.html: its folder does not exist/],
    [["compare", good, "--settings", "thp=nevr"], /--settings: expected always \| madvise \| never/],
    [["run"], /^pagewise: expected a file, or --workload NAME\n$/],
    [["run", "--workload", "numa2"], /--workload: expected one of .*; did you mean 'numa02'\?/],
    [
      ["compare", "--workload", "numa02,size=x"],
      /--workload: expected a size such as 64M, 2M to 1T, for size/,
    ],
    [["compare", good, "--workload", "numa02"], /--workload: expected either --workload or a file/],
    [["workloads", "numa03"], /no workload has 'numa03' in its name; did you mean 'numa01'\?/],
    [["run", good, broken, "--report", "x.html"], /--report: expected one file to report on, found 2/],
    [["check", "pin-then-migrat"], /there is no scenario 'pin-then-migrat'; did you mean 'pin-then-migrate'/],
    [["check", "pin-then-migrate", "--schedule", "0.9"], /step 2 of the schedule names actor 9; there are 2/],
    [["check", "pin-then-migrate", "--schedule", "0*60"], /step 4 .* names actor 0 \(direct I\/O\), .* done/],
    [["validate", "--setup", "--kernel", "debian-6.2"], /^pagewise: --kernel: expected .*'debian-6\.1'\?\n$/],
    [
      ["compare", good, "--settings", "thp=never; thp=always", "--measured", strange],
      /^pagewise: strange\.json: .* \('thp=never', 'thp=always'\), found 'nosuch'\n$/,
    ],
  ];
  refuse(table);
});

/** Each command line exits with 2, says that and nothing else, and leaves no file behind. */
function refuse(table: readonly [string[], RegExp][]): void {
  const before = readdirSync(folder);
  for (const [args, message] of table) {
    const { code, out, err } = pagewise(...args);
    assert.match(err, message);
    assert.equal(out, "");
    assert.equal(code, 2, args.join(" "));
  }
  assert.deepEqual(readdirSync(folder), before);
}

test("an option that would be ignored is refused", () => {
  refuse([
    [["check", "--form", "F0"], /^pagewise: --form: expected a scenario with it, found none; .*\n$/],
    [["check", "--svg", "x.svg"], /^pagewise: --svg: expected a scenario with it/],
    [["check", "--all", "--svg", "x.svg"], /^pagewise: --svg: expected a scenario with it/],
    [
      ["check", "--all", "pin-then-migrate"],
      /^pagewise: --all: expected either --all or a scenario, found 'pin/,
    ],
    [["check", "--all", "--form", "F9"], /^pagewise: --form: expected one of .*\bF0\b.*, found 'F9'/],
    [
      ["compare", good, "--generations", "linux-6.1", "--generation", "linux-6.18"],
      /^pagewise: --generations: expected either --generation or --generations, found both\n$/,
    ],
    [
      ["run", good, "--html", "a.html", "--csv", "./a.html"],
      /^pagewise: --csv: .* found that of --html: \.\/a\.html\n$/,
    ],
    [["run", good, "--html", "a.html", "--report", "b.html"], /^pagewise: --report: says the same as --html/],
  ]);
});

test("check --all runs, of the scenarios that have a form, that form alone", () => {
  const { code, out } = pagewise("check", "--all", "--form", "listed by the scanner", "--json");
  assert.equal(code, 0);
  const { verdicts } = JSON.parse(out);
  assert.ok(verdicts.length > 0);
  assert.ok(verdicts.every(({ form }: { form: string }) => form === "listed by the scanner"));
});

test("a mistake in the last script stops before the first one runs, with its place", () => {
  const bad = file("bad.pw", "map a 4M\nwirte a\n");
  const { code, out, err } = pagewise("run", good, bad, "--json");
  assert.equal(err, "pagewise: bad.pw:2:1: expected a statement, found 'wirte'; did you mean 'write'?\n");
  assert.equal(out, "");
  assert.equal(code, 2);
});

test("a script's run prints one JSON object a line, in order", () => {
  const { code, out } = pagewise("run", good, "--json");
  const [snapshot, elapsed, ...rest] = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(snapshot.snapshot, "s");
  assert.equal(snapshot.vmstat.thp_fault_alloc, 2);
  assert.equal(snapshot.maps.a.anon_huge_kb, 4096);
  assert.ok(elapsed.elapsed_s > 0);
  assert.deepEqual(rest, []);
  assert.equal(code, 0);
});

test("an expectation that does not hold exits with 1, says so on standard error, and the rest runs", () => {
  const { code, out, err } = pagewise("run", broken, good, "--json");
  assert.equal(err, "broken.pw:6: expected thp_fault_alloc == 3, found 2 (snapshot s)\n");
  const names = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).script);
  assert.deepEqual(names, ["broken", undefined, undefined, "good", undefined, undefined]);
  assert.equal(code, 1);
});

test("compare sets columns side by side, as JSON and as a report that appears whole", () => {
  const { code, out } = pagewise(
    "compare",
    good,
    "--settings",
    "thp=never;thp=always",
    "--json",
    "--report",
    "r.html",
  );
  assert.equal(code, 0);
  const { columns } = JSON.parse(out);
  assert.deepEqual(
    columns.map((column: { name: string; vmstat: Record<string, number> }) => [
      column.name,
      column.vmstat.thp_fault_alloc ?? 0,
    ]),
    [
      ["thp=never", 0],
      ["thp=always", 2],
    ],
  );
  assert.equal(typeof columns[0].peak_rss_kb, "number");
  assert.match(readFileSync(join(folder, "r.html"), "utf8"), /^<!doctype html>[\s\S]*<\/html>\n$/);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes(".part")),
    [],
  );
});

test("kernels make columns too, each under each of the settings", () => {
  const { out } = pagewise(
    "compare",
    good,
    "--generations",
    "linux-6.1, linux-6.18",
    "--settings",
    "thp=always",
    "--json",
  );
  const names = JSON.parse(out).columns.map((column: { name: string }) => column.name);
  assert.deepEqual(names, ["linux-6.1 thp=always", "linux-6.18 thp=always"]);
});

test("the same command prints the same bytes", () => {
  const twice = [1, 2].map(() => pagewise("compare", good, "--settings", "thp=never;thp=always").out);
  assert.equal(twice[0], twice[1]);
});

test("lists have JSON, and no output file is made by asking for help", () => {
  assert.ok(JSON.parse(pagewise("knobs", "--json").out).knobs.length > 5);
  assert.ok(JSON.parse(pagewise("generations", "--json").out).generations.length > 1);
  const { code, out } = pagewise("compare", "--help");
  assert.equal(code, 0);
  assert.match(out, /Examples:/);
  assert.ok(!existsSync(join(folder, "pagewise-report.html")));
});

test("scripts of one machine share a boot: the huge zero page is allocated once, and again elsewhere", () => {
  const read = "map a 2M align 2M\nread a 0..4K\nsnapshot s\n";
  const [one, other] = [MACHINE.replace("256M", "1G"), MACHINE.replace("256M", "2G")];
  const names = [file("zero1.pw", one + read), file("zero2.pw", one + read)];
  names.push(file("zero3.pw", other + read), file("zero4.pw", one + read));
  const { code, out } = pagewise("run", ...names, "--json");
  const snapshots = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter((line) => "snapshot" in line);
  const allocated = snapshots.map(({ vmstat }) => vmstat.thp_zero_page_alloc ?? 0);
  assert.deepEqual(allocated, [1, 0, 1, 0]);
  assert.equal(code, 0);
});

test("--hardware takes a description of one's own, with its base's figures where it gives none", () => {
  const toml = file(
    "mine.toml",
    'name = "mine"\nbase = "plain"\n[figures]\nfaultNs = { value = 5000, source = "a guess" }\n',
  );
  const [plain, mine] = ["plain", toml].map((hardware) => {
    const { out, code } = pagewise("compare", good, "--hardware", hardware, "--json");
    assert.equal(code, 0);
    return JSON.parse(out).columns[0];
  });
  assert.equal(mine.hardware, "mine");
  assert.deepEqual(mine.vmstat, plain.vmstat);
  assert.ok(mine.faults_all.total_ns > plain.faults_all.total_ns + 2 * 4000);
});

test("a named workload runs without a file, and is listed with its parameters", () => {
  const ran = pagewise("run", "--workload", "numa02,size=2M,rounds=1", "--json");
  assert.equal(ran.err, "");
  assert.equal(ran.code, 0);
  assert.equal(JSON.parse(ran.out).workload, "numa02,size=2M,rounds=1");
  const listed = pagewise("workloads", "numa02", "--json");
  const [first] = JSON.parse(listed.out).workloads;
  assert.deepEqual(first.params[0].name, "threads");
  assert.match(pagewise("workloads").out, /numa01_THREADLOCAL: .*\n[\s\S]*rounds=1000 \(0 to 1000000000\)/);
});

test.runIf(existsSync("/dev/full"))(
  "standard output that takes no more is said in one line, not a stack",
  () => {
    const full = openSync("/dev/full", "w");
    const { status, stderr } = spawnSync(process.execPath, [main, "run", good], {
      encoding: "utf8",
      cwd: folder,
      stdio: ["ignore", full, "pipe"],
    });
    closeSync(full);
    assert.equal(stderr, "pagewise: standard output: cannot be written: no space left on device\n");
    assert.equal(status, 2);
  },
);

test("a place that cannot be written is refused before the run, by its name or its option's", () => {
  const output = (option: string, path: string): string[] => ["run", good, option, path];
  refuse([
    [output("--html", ""), /^pagewise: --html: expected a path, found ''\n$/],
    [output("--csv", ""), /^pagewise: --csv: expected a path/],
    [output("--parquet", ""), /^pagewise: --parquet: expected a path/],
    [["check", "pin-then-migrate", "--svg", ""], /^pagewise: --svg: expected a path/],
    [output("--html", folder), /^pagewise: .*: expected a file to write, found a directory\n$/],
    [output("--csv", folder), /^pagewise: .*: expected a file to write, found a directory\n$/],
    [output("--parquet", good), /^pagewise: good\.pw: expected a folder for --parquet, found a file\n$/],
    [output("--parquet", "nowhere/x"), /^pagewise: nowhere\/x: its folder does not exist\n$/],
  ]);
});

test("a message names the option that was given, not the one behind it", () => {
  const thresholds = (text: string, generation = "linux-6.1+reservations"): string[] => {
    return ["compare", good, "--generation", generation, "--thresholds", text];
  };
  refuse([
    [thresholds("0"), /^pagewise: --thresholds: expected 1\.\.512 .*, found '0'\n$/],
    [thresholds(""), /^pagewise: --thresholds: expected 1\.\.512 .*, found ''\n$/],
    [thresholds("16,64;256"), /^pagewise: --thresholds: expected 1\.\.512 .*, found '64;256'\n$/],
    [thresholds("16,16"), /^pagewise: --thresholds: expected each threshold once, found '16' twice\n$/],
    [
      thresholds("16", "linux-6.18"),
      /^pagewise: --thresholds: linux-6\.18 has no promotion_threshold: expected .*linux-6\.1\+reservations/,
    ],
    [["compare", good, "--generations", "linux6.1"], /^pagewise: --generations: expected one of /],
    [["generations", "linux-6.2"], /^pagewise: generations NAME: expected one of /],
    [["generations", "linux-6.1", "--diff", "foo"], /^pagewise: --diff: expected one of /],
  ]);
});
