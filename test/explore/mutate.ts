/**
 * Checks the explorer itself: for each planted fault, the scenario's form with the fault, and without it.
 * Prints one JSON line each. The fault is put in as the module is loaded (`?mutation=N`), by text.
 */
import { registerHooks } from "node:module";
import { MUTATIONS } from "./mutations.ts";

const unused = new Set<number>();

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const mutation = /\?mutation=(\d+)$/.exec(context.parentURL ?? "")?.[0];
    if (mutation === undefined || !resolved.url.startsWith("file:")) return resolved;
    return { ...resolved, url: resolved.url + mutation };
  },
  load(url, context, nextLoad) {
    const mutation = /\?mutation=(\d+)$/.exec(url);
    if (mutation === null) return nextLoad(url, context);
    const loaded = nextLoad(url, context);
    const { file, from, to } = MUTATIONS[Number(mutation[1])]!;
    if (!url.includes(`/src/kernel/${file}?`)) return loaded;
    const source = String(loaded.source);
    if (source.split(from).length !== 2) throw new Error(`${file} does not have this text once: ${from}`);
    unused.delete(Number(mutation[1]));
    return { ...loaded, source: source.replace(from, to) };
  },
});

type Explore = typeof import("../../src/explore/verdict.ts");
type Index = typeof import("../../src/explore/scenarios/index.ts");

async function check(query: string, name: string, form: string): Promise<string> {
  const { verdictsOf } = (await import(`../../src/explore/verdict.ts${query}`)) as Explore;
  const { SCENARIOS } = (await import(`../../src/explore/scenarios/index.ts${query}`)) as Index;
  const scenario = SCENARIOS.find((each) => each.name === name)!;
  return verdictsOf(scenario, form)[0]!.text;
}

for (const [index, { name, scenario, form }] of MUTATIONS.entries()) {
  unused.add(index);
  const planted = await check(`?mutation=${index}`, scenario, form);
  const fixed = await check("", scenario, form);
  process.stdout.write(`${JSON.stringify({ name, planted, fixed, applied: !unused.has(index) })}\n`);
}
