/**
 * The same script with more time: what comes by the kernel's own pace (balancing's passes, khugepaged's) may
 * not be through on a slow machine. On a busy host an emulated CPU waits milliseconds for the others to
 * answer a shootdown, and after a pass the kernel rests 32 times as long as it took.
 */
import type { Script, Statement } from "../workloads/script/ast.ts";

/** How much more. */
export const MORE_TIMES = 4;

function longerBody(body: readonly Statement[]): Statement[] {
  return body.map((each): Statement => {
    if (each.op === "during") return { ...each, ns: each.ns * MORE_TIMES, body: longerBody(each.body) };
    return "body" in each ? { ...each, body: longerBody(each.body) } : each;
  });
}

/** The script with every `during` that many times as long; undefined if it has none. */
export function withMoreTime(script: Script): Script | undefined {
  const has = (body: readonly Statement[]): boolean =>
    body.some((each) => each.op === "during" || ("body" in each && has(each.body)));
  return has(script.body) ? { ...script, body: longerBody(script.body) } : undefined;
}
