import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../lib/assert.ts";
import { demandProgram, exitStatusOf, launch, launcherMissing } from "./launcher.ts";

const missing = launcherMissing();
if (missing !== undefined) console.warn(`skipped: tests of the launcher: ${missing}`);

describe.skipIf(missing !== undefined)("a program that is launched", () => {
  const quiet = { hugePagesOff: true, fixedLayout: true, output: "ignore" } as const;

  test("stands still until it may go, with huge pages off, and its exit status is told", async () => {
    const launched = await launch(["sh", "-c", "exit 7"], quiet);
    expect(readFileSync(`/proc/${launched.pid}/status`, "utf8")).toMatch(/^THP_enabled:\s*0$/m);
    expect(readFileSync(`/proc/${launched.pid}/status`, "utf8")).toMatch(/^State:\s*T/m);
    launched.go();
    const ended = await launched.ended;
    expect(exitStatusOf(ended)).toBe(7);
    expect(ended.usage.minorFaults).toBeGreaterThan(0);
    expect(ended.usage.maxRssKb).toBeGreaterThan(0);
  });

  test("does not stand there for ever when its recorder is killed", async () => {
    const root = join(import.meta.dirname, "..", "..");
    const code =
      'import { launch } from "./src/record/launcher.ts";' +
      'const { pid } = await launch(["sleep", "1000"], { hugePagesOff: false, fixedLayout: false });' +
      "console.log(pid); setTimeout(() => {}, 1e6);";
    const file = join(mkdtempSync(join(tmpdir(), "pagewise-")), "recorder.ts");
    writeFileSync(file, code.replace("./src", join(root, "src")));
    const recorder = spawn(process.execPath, [join(root, "tools", "run-ts.mjs"), file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = Number(
      await new Promise<string>((said) => recorder.stdout.once("data", (at) => said(String(at)))),
    );
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^State:\s*T/m);
    recorder.kill("SIGKILL");
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 60_000 }).toBe(false);
    rmSync(dirname(file), { recursive: true });
  });

  test("that a signal ends has the status that a shell would show", async () => {
    const launched = await launch(["sh", "-c", "kill -TERM $$"], {
      ...quiet,
      hugePagesOff: false,
      fixedLayout: false,
    });
    launched.go();
    const ended = await launched.ended;
    expect(ended).toMatchObject({ code: undefined, signal: "SIGTERM" });
    expect(exitStatusOf(ended)).toBe(128 + 15);
  });

  test("that cannot be started is the user's mistake", async () => {
    expect(() => demandProgram("no-such-program-anywhere")).toThrow(UserError);
    expect(() => demandProgram("/proc/version")).toThrow("may not be executed");
    await expect(launch(["/no/such/program"], quiet)).rejects.toThrow("no such program");
  });
});
