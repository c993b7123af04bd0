/**
 * Whether the kernel that answered can judge at all. One that never spoke, or lacks what scripts are about,
 * is told of once, with what to do about it, instead of as a difference in every script.
 */
import { UserError } from "../lib/assert.ts";
import type { GuestResult, GuestScript } from "./guest.ts";
import type { GuestKernel } from "./guest-output.ts";

/** What the kernel lacks of what these scripts need, and what would help; undefined if nothing. */
export function lackOf(
  { release, thp, nodes }: GuestKernel,
  scripts: readonly GuestScript[],
): string | undefined {
  if (thp === "none")
    return `Linux ${release} has no transparent huge pages: it needs CONFIG_TRANSPARENT_HUGEPAGE=y`;
  const scattered = scripts.find(({ script }) => (script.machine?.nodes ?? 1) > 1);
  if (nodes !== "none" || scattered === undefined) return undefined;
  const { file, machine } = scattered.script;
  return `Linux ${release} knows no NUMA, and ${file} wants ${machine!.nodes} nodes: it needs CONFIG_NUMA=y`;
}

/** Throws if no verdict can come of what the kernel answered. */
export function demandKernel({ kernel, runs }: GuestResult, scripts: readonly GuestScript[]): void {
  if (kernel === undefined) {
    const first = runs.find(({ outcome }) => outcome === "failed");
    const why = first?.outcome === "failed" ? first.why : "no script";
    throw new UserError(`not run: the kernel never spoke: ${why}`);
  }
  const lack = lackOf(kernel, scripts);
  if (lack !== undefined) throw new UserError(`not run: ${lack}, or another kernel (--kernel)`);
}
