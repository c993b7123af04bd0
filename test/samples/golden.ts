/** A golden file: what a test must find again, beside what it found when that differs. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

/**
 * Compares with `test/golden/NAME.txt`. A difference writes `NAME.actual.txt` beside it and says what accepts
 * it.
 */
export async function expectGolden(name: string, text: string, testFile: string): Promise<void> {
  const file = join(import.meta.dirname, "..", "golden", `${name}.txt`);
  const actual = file.replace(/\.txt$/, ".actual.txt");
  rmSync(actual, { force: true });
  try {
    await expect(text).toMatchFileSnapshot(file);
  } catch (error) {
    writeFileSync(actual, text);
    const message =
      `test/golden/${name}.txt differs from ${name}.actual.txt beside it.\n` +
      `If the new one is right: npm run accept -- ${testFile}\n${(error as Error).message}`;
    throw new Error(message, { cause: error });
  }
}
