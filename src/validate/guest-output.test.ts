import { expect, test } from "vitest";
import { readGuestOutput } from "./guest-output.ts";

const CONSOLE = `[    0.000000] Command line: console=ttyS0 mark=@@m nodes=2
[    1.2] something of the kernel's @@m kernel {"release":"6.1.0","version":"#1","thp":"[always]"}
@@m begin 00000
{"snapshot":"a","vmstat":{"pgfault":3},"maps":{}}
[    1.3] a message in between
{"errno":22,"op":"advise","line":7}
{"elapsed_s":0.1}
@@m end 00000 status 0
@@m begin 00001
{"snapshot":"b","vmst
@@m end 00001 status 0
@@m begin 00002
@@m end 00002 late -1
@@m begin 00003
@@m end 00003 status 9
@@m begin 00004
{"snapshot":"c","vmstat":{},"maps":{}}
[    9.9] Kernel panic - not syncing: out of everything
`;

const output = readGuestOutput(CONSOLE, "@@m");

test("lines between begin and end are the script's, kernel messages among them are not", () => {
  expect(output.runs.get("00000")).toEqual({
    outcome: "ran",
    lines: [
      { snapshot: "a", vmstat: { pgfault: 3 }, maps: {} },
      { errno: 22, op: "advise", line: 7 },
      { elapsed_s: 0.1 },
    ],
  });
  expect(output.messages).toContain("[    1.3] a message in between");
});

test("the kernel says what it is, even behind a message on the same line", () => {
  expect(output.kernel?.release).toBe("6.1.0");
});

test("a line that is cut off and a time limit are failures; what was killed keeps what it said", () => {
  const whyOf = (name: string): string => {
    const run = output.runs.get(name);
    return run?.outcome === "failed" ? run.why : "";
  };
  expect(whyOf("00001")).toMatch(/cut off/);
  expect(whyOf("00002")).toMatch(/time limit/);
  expect(output.runs.get("00003")?.outcome).toBe("killed");
});

test("a panic leaves the script unfinished, and its last words are kept", () => {
  expect(output.unfinished).toBe("00004");
  expect(output.runs.has("00004")).toBe(false);
  expect(output.over).toBe(false);
  expect(output.messages.at(-1)).toMatch(/panic/);
});
