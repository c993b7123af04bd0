import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { launcherMissing } from "./launcher.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const missing = launcherMissing();
if (missing !== undefined) console.warn(`skipped: tests of ground-truth: ${missing}`);

/** A process that measures, with a file of its own in the place of the kernel's setting. */
function measuring(folder: string) {
  const setting = join(folder, "enabled");
  writeFileSync(setting, "always [madvise] never\n");
  const script = join(folder, "measure.ts");
  writeFileSync(
    script,
    `import { groundTruth } from ${JSON.stringify(join(ROOT, "src/record/ground-truth.ts"))};
     try {
       await groundTruth({
         program: ["sleep", "1000"], modes: ["never", "always"], runs: 1, output: "ignore",
         fixedLayout: false, told: () => {}, settingFile: ${JSON.stringify(setting)},
       });
     } catch (error) {
       console.log(error.message);
     }`,
  );
  const child = spawn(process.execPath, [join(ROOT, "tools", "run-ts.mjs"), script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (piece: Buffer) => {
    said += piece.toString("utf8");
  });
  const ended = new Promise<string>((resolve) => child.once("close", () => resolve(said)));
  return { child, ended, settingNow: () => readFileSync(setting, "utf8").trim() };
}

describe.skipIf(missing !== undefined)("measuring under other settings", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "ended by %s puts the setting back, and says so",
    async (signal) => {
      const folder = mkdtempSync(join(tmpdir(), "pagewise-"));
      try {
        const { child, ended, settingNow } = measuring(folder);
        await expect.poll(settingNow, { timeout: 60_000 }).toBe("never");
        child.kill(signal);
        expect(await ended).toBe(`ended by ${signal}; the setting is put back, nothing is written\n`);
        expect(settingNow()).toBe("madvise");
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
