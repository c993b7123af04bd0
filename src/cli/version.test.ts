import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "vitest";
import { VERSION } from "./version.ts";

test("the command line names the package's version", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  assert.equal(VERSION, manifest.version);
});
