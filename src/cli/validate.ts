/** `pagewise validate`: the same script in the model and on a real kernel, figure by figure. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { type Command, Option } from "commander";
import type { Generation } from "../generations/generation.ts";
import { UserError } from "../lib/assert.ts";
import type { GuestResult, GuestScript } from "../validate/guest.ts";
import type { Accelerator } from "../validate/qemu.ts";
import type { Verdict } from "../validate/verdict.ts";
import { parseScript } from "../workloads/script/parse.ts";
import { EXIT, whenCalled } from "./command.ts";
import { demandFile, out, progressLine } from "./host.ts";

const EXAMPLES = `
Examples:
  $ pagewise validate --setup --kernel debian-6.1
  $ pagewise validate examples/*.pw
  $ pagewise validate mine.pw --kernel ~/linux/arch/x86/boot/bzImage --generation linux-6.12
  $ sudo pagewise validate mine.pw --host

Exit status: 0 every script agrees; 1 one differs or was not run; 2 a mistake in what was asked,
or something that it needs is missing.`;

/** Options that `validate` and `fuzz` share. */
export interface GuestCommandOptions {
  readonly kernel: string;
  readonly generation?: string;
  readonly cache?: string;
  readonly accel: Accelerator | "auto";
  readonly batch: string;
  readonly limit: string;
}

interface ValidateOptions extends GuestCommandOptions {
  readonly setup?: true;
  readonly host?: true;
  readonly all?: true;
  readonly json?: true;
}

export function addGuestOptions(command: Command): Command {
  return command
    .option("--kernel <name>", "debian-6.1, debian-6.12, or the path of a kernel image", "debian-6.1")
    .option("--generation <name>", "generation that stands for that kernel (of a Debian kernel it is known)")
    .option("--cache <folder>", "where kernels and raw consoles are kept ($XDG_CACHE_HOME/pagewise)")
    .addOption(
      new Option("--accel <how>", "software emulation, hardware acceleration, or the latter if a probe runs")
        .choices(["auto", "tcg", "kvm"])
        .default("auto"),
    )
    .option("--batch <count>", "scripts a boot at most", "100")
    .option("--limit <seconds>", "time limit of one script in the guest, besides its own sleeps", "60");
}

export function wholeOption(text: string, file: string, min: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value < 2 ** 31) return value;
  throw new UserError(`expected a whole number of at least ${min}, found '${text}'`, { file });
}

/** A collection: `{"scripts": {NAME: TEXT or {"script": TEXT}}}`, as recordings are kept. */
function readCollection(file: string): GuestScript[] {
  let scripts: unknown;
  try {
    scripts = (JSON.parse(readFileSync(file, "utf8")) as { scripts?: unknown }).scripts;
  } catch (error) {
    throw new UserError(`expected JSON: ${(error as Error).message}`, { file });
  }
  const entries = Object.entries((scripts ?? {}) as Record<string, string | { script?: string }>);
  if (entries.length === 0)
    throw new UserError('expected {"scripts": {NAME: TEXT, …}}, found none', { file });
  return entries.map(([name, value]) => {
    const text = typeof value === "string" ? value : value.script;
    if (text !== undefined) return { script: parseScript(text, `${name}.pw`), text };
    throw new UserError(`expected the text of the script ${name}, found none`, { file });
  });
}

/** A script, all scripts of a folder, or a collection. */
function readScripts(path: string): GuestScript[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    const names = readdirSync(path).filter((name) => name.endsWith(".pw"));
    if (names.length === 0) throw new UserError("no scripts (.pw) in this folder", { file: path });
    return names.sort().map((name) => readScript(join(path, name)));
  }
  demandFile(path);
  return path.endsWith(".json") ? readCollection(path) : [readScript(path)];
}

function readScript(file: string): GuestScript {
  const text = readFileSync(file, "utf8");
  return { script: parseScript(text, file), text };
}

/** Tells what the kernel side is, before anything else. */
export function tellKernel(result: GuestResult, origin: string): void {
  const { kernel } = result;
  if (kernel !== undefined) out(`Linux ${kernel.release}, ${kernel.version}; ${origin}\n`);
}

export interface KernelSide {
  readonly generation: Generation;
  readonly run: (scripts: readonly GuestScript[], label?: string) => Promise<GuestResult>;
  readonly origin: string;
}

/** Readies a kernel in a virtual machine: says what QEMU and which acceleration it is. */
export async function openKernelSide(options: GuestCommandOptions): Promise<KernelSide> {
  const { cacheFolder } = await import("../validate/folders.ts");
  const { buildRunner } = await import("../validate/runner-build.ts");
  const { targetOf } = await import("../validate/targets.ts");
  const { QEMU_ADVICE, qemuVersion } = await import("../validate/qemu.ts");
  const { chooseAccelerator } = await import("../validate/accelerator.ts");
  const { runInGuests } = await import("../validate/guest.ts");
  const { demandKernel } = await import("../validate/demand-kernel.ts");
  const cache = cacheFolder(options.cache);
  const batch = wholeOption(options.batch, "--batch", 1);
  const scriptLimitS = wholeOption(options.limit, "--limit", 1);
  const target = targetOf(options.kernel, options.generation, cache);
  const version = qemuVersion();
  if (version === undefined) throw new UserError(`not run: ${QEMU_ADVICE}`);
  const runner = buildRunner(cache);
  const choice = await chooseAccelerator(options.accel, { vmlinuz: target.vmlinuz, runner, cache });
  out(`${version}; ${choice.why}\n`);
  // A kernel that has spoken once is no mistake of the user's if a later boot comes to nothing.
  let spoke = false;
  const run: KernelSide["run"] = async (scripts, label = "") => {
    const progress = progressLine();
    try {
      const result = await runInGuests(scripts, {
        vmlinuz: target.vmlinuz,
        modules: target.modules,
        runner,
        accelerator: choice.accelerator,
        cache,
        batch,
        dropCaches: true,
        scriptLimitS,
        onBoot: (told) => progress.show(label + told),
      });
      if (!spoke) demandKernel(result, scripts);
      spoke = true;
      return result;
    } finally {
      progress.done();
    }
  };
  return { generation: target.generation, run, origin: target.origin };
}

/** The kernel of this machine itself. */
async function openHostSide(scripts: readonly GuestScript[], options: ValidateOptions): Promise<KernelSide> {
  const { cacheFolder } = await import("../validate/folders.ts");
  const { buildRunner } = await import("../validate/runner-build.ts");
  const { demandHost, hostGeneration, runOnHost } = await import("../validate/host-run.ts");
  const { generationByName } = await import("../generations/index.ts");
  const { demandKernel } = await import("../validate/demand-kernel.ts");
  const cache = cacheFolder(options.cache);
  demandHost(scripts);
  const generation = generationByName(options.generation ?? "") ?? hostGeneration();
  const runner = buildRunner(cache);
  const scriptLimitS = wholeOption(options.limit, "--limit", 1);
  out("this machine's own kernel: regions and failed calls are compared, its counters are not\n");
  const run: KernelSide["run"] = async (scripts) => {
    const result = await runOnHost(scripts, { runner, cache, scriptLimitS });
    demandKernel(result, scripts);
    return result;
  };
  return { generation, run, origin: "this machine" };
}

/** One step of `--setup`: what it came to, and whether it is well. */
function step(well: boolean, text: string): boolean {
  out(`${well ? "ok     " : "MISSING"}  ${text}\n`);
  return well;
}

async function setUp(options: ValidateOptions): Promise<number> {
  const { cacheFolder } = await import("../validate/folders.ts");
  const { buildRunner, COMPILER_ADVICE, hasCompiler } = await import("../validate/runner-build.ts");
  const { demandKernelNamed, fetchKernel } = await import("../validate/targets.ts");
  const { QEMU_ADVICE, qemuVersion } = await import("../validate/qemu.ts");
  demandKernelNamed(options.kernel);
  const cache = cacheFolder(options.cache);
  const version = qemuVersion();
  let well = step(version !== undefined, version ?? QEMU_ADVICE);
  if (hasCompiler()) well = step(true, `runner compiled: ${buildRunner(cache)}`) && well;
  else well = step(false, COMPILER_ADVICE);
  try {
    well = step(true, fetchKernel(options.kernel, cache)) && well;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    well = step(false, error.message);
  }
  return well ? EXIT.ok : EXIT.mistake;
}

async function validateAll(paths: readonly string[], options: ValidateOptions): Promise<number> {
  if (options.setup === true) return setUp(options);
  if (paths.length === 0) throw new UserError("expected scripts (.pw) to validate, or --setup; found none");
  const scripts = paths.flatMap(readScripts);
  const { judge } = await import("../validate/verdict.ts");
  const { LIVE, SHARED } = await import("../validate/compare.ts");
  const closeness = options.host === true ? SHARED : LIVE;
  const { renderTally, renderVerdict } = await import("../validate/difference-table.ts");
  const side = options.host === true ? await openHostSide(scripts, options) : await openKernelSide(options);
  const result = await side.run(scripts);
  tellKernel(result, side.origin);
  const verdicts: Verdict[] = [];
  scripts.forEach(({ script }, index) => {
    const verdict = judge(script, side.generation, result.runs[index]!, closeness);
    verdicts.push(verdict);
    const name = basename(script.file, ".pw");
    if (options.json === true) out(JSON.stringify({ script: name, ...verdict }) + "\n");
    else out(renderVerdict(name, verdict, options.all === true));
  });
  const boots = `${result.boots} ${result.boots === 1 ? "boot" : "boots"}, ${result.durationS.toFixed(0)} s`;
  out(`${side.generation.name} against ${options.host === true ? "this machine" : options.kernel}: `);
  out(renderTally(verdicts) + `${boots}; raw consoles in ${result.folder}\n`);
  return verdicts.every(({ kind }) => kind === "agrees") ? EXIT.ok : EXIT.broken;
}

export function registerValidate(program: Command): void {
  const command = program
    .command("validate")
    .summary("run scripts on a real kernel too, and compare")
    .description("Run workload scripts in the model and on a real kernel in QEMU, and compare every figure.")
    .argument("[file...]", "scripts, folders of scripts, or collections (.json)")
    .option("--setup", "get ready: say which packages are missing, compile the runner, unpack the kernel")
    .option("--host", "on this machine's own kernel instead (root, one node)")
    .option("--all", "also show the figures that agree")
    .option("--json", "print JSON, one line a script");
  whenCalled(addGuestOptions(command).addHelpText("after", EXAMPLES), validateAll);
}
