import { expect, test } from "vitest";
import type { Script } from "../workloads/script/ast.ts";
import { parseScript } from "../workloads/script/parse.ts";
import { printScript } from "../workloads/script/print.ts";
import { generateScript } from "./generate.ts";
import { shrink } from "./shrink.ts";

const LONG = `machine nodes=2 cpus=2 mem=1G
set transparent_hugepage/enabled always
set transparent_hugepage/use_zero_page 0
cpu 0
map a 4M
map b 2M
write a
snapshot s0
write b
fork c {
  write a
  protect b ro
}
join c
snapshot s1
unmap b 0..1M
snapshot s2
`;

/** Shrinks with a rule that needs no kernel. */
function shrunk(rule: (text: string) => boolean, firstSnapshot?: string): Promise<Script> {
  const disagree = async (scripts: readonly Script[]): Promise<boolean[]> =>
    scripts.map((script) => rule(printScript(script)));
  return shrink(parseScript(LONG, "long.pw"), { disagree, roundsMax: 50, firstSnapshot });
}

test("what is left is what the disagreement needs, and a valid script", async () => {
  const script = await shrunk((text) => /protect b/.test(text) && /snapshot/.test(text));
  expect(printScript(script)).toBe(
    "machine nodes=2 cpus=2 mem=1G\nmap b 2M\nprotect b ro\nsnapshot s0\n".replace(
      "s0",
      /s\d/.exec(printScript(script))![0],
    ),
  );
});

test("a fork that the disagreement needs stays, with what matters of it and its join", async () => {
  const script = await shrunk((text) => /fork c \{\n {2}write a/.test(text));
  expect(printScript(script)).toBe(
    "machine nodes=2 cpus=2 mem=1G\nmap a 4M\nfork c {\n  write a\n}\njoin c\n",
  );
});

test("what comes behind the first difference goes at once", async () => {
  let asked = 0;
  const disagree = async (scripts: readonly Script[]): Promise<boolean[]> => {
    asked++;
    return scripts.map((script) => printScript(script).includes("snapshot s0"));
  };
  const script = await shrink(parseScript(LONG, "long.pw"), { disagree, roundsMax: 1, firstSnapshot: "s0" });
  expect(asked).toBe(1);
  expect(printScript(script)).not.toMatch(/s1|s2|fork/);
});

test("a disagreement that vanishes with any cut comes back whole", async () => {
  const script = await shrunk((text) => text === LONG);
  expect(printScript(script)).toBe(LONG);
});

test("no round is asked for more than the limit allows", async () => {
  let asked = 0;
  const disagree = async (scripts: readonly Script[]): Promise<boolean[]> => {
    asked++;
    return scripts.map(() => true);
  };
  await shrink(generateScript("thp", 3, "x"), { disagree, roundsMax: 2, firstSnapshot: undefined });
  expect(asked).toBe(2);
});
