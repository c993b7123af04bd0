/** docs/hardware.md is generated, and its example is a description that the program reads. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hardwareByName } from "../src/hardware/index.ts";
import { hardwareFromToml } from "../src/hardware/read-toml.ts";
import { EXAMPLE, renderHardware } from "../tools/hardware.ts";

test("docs/hardware.md says what the descriptions say (npm run docs)", () => {
  const document = readFileSync(join(import.meta.dirname, "..", "docs", "hardware.md"), "utf8");
  expect(document).toBe(renderHardware());
  expect(document).toContain(EXAMPLE);
});

test("the example of docs/hardware.md changes what it names and keeps its base's other figures", () => {
  const mine = hardwareFromToml(EXAMPLE, "my-server.toml");
  const base = hardwareByName("zen4")!;
  expect(mine.name).toBe("my-server");
  expect(mine.tlb.l2).toEqual({ entries: 2048, ways: 16, hugeWays: 8 });
  expect(mine.costs.faultNs).toBe(480);
  expect(mine.figures.zeroHugeBytesPerNs).toEqual({ value: 9.5, source: "measured with our own benchmark" });
  expect(mine.figures.zapPageNs).toEqual(base.figures.zapPageNs);
});
