/**
 * A scaled machine: each page of the model stands for `scale` pages of the machine that is meant, so that a
 * machine of 64 GiB and a program of minutes fit a run of seconds.
 *
 *     memory, huge page, knobs in pages and MB: divided      what one base page costs: multiplied
 *     time, CPUs, nodes, what one huge page costs: as they are
 *
 * There are as many huge pages as on the real machine, and 1/scale as many base pages.
 */
import type { KnobSpec, Knobs } from "../core/knobs.ts";
import type { HardwareSpec } from "../hardware/spec.ts";
import type { Costs } from "../kernel/costs.ts";

/** What grows with base pages, or with lines of them. */
const BY_PAGE = [
  "zeroPageNs",
  "copyPageNs",
  "allocPageNs",
  "zapPageNs",
  "changePteNs",
  "forkPteNs",
  "scanPteNs",
  "compactScanNs",
  "migratePageNs",
  "reclaimPageNs",
  "swapPageNs",
  "flushOneNs",
  "referencePs",
  "secondLevelPs",
  "walkReferencePs",
  "lineLatencyPs",
  "remoteLatencyPs",
  "lineStreamPs",
  "remoteStreamPs",
  "nodeLinePs",
  "linkLinePs",
  "boardLinePs",
] as const satisfies readonly (keyof Costs)[];

/** The hardware as a scaled machine sees it. */
export function scaleHardware(hardware: HardwareSpec, scale: number): HardwareSpec {
  if (scale === 1) return hardware;
  const costs: Record<string, number> = { ...hardware.costs };
  for (const name of BY_PAGE) costs[name] = hardware.costs[name] * scale;
  return { ...hardware, costs: costs as unknown as Costs };
}

/** Knobs that say how much memory is looked at, or moved, in a time: not limits by huge page. */
function isAmount(spec: KnobSpec): boolean {
  return spec.type === "number" && ["pages", "MB"].includes(spec.unit) && !spec.name.includes("max_ptes");
}

/** Writes the knobs of a scaled machine; a page and a megabyte are the least. */
export function scaleKnobs(knobs: Knobs, scale: number): void {
  if (scale === 1) return;
  for (const spec of knobs.specs) {
    if (!isAmount(spec) || spec.type !== "number") continue;
    knobs.write(spec.name, String(Math.max(spec.min, 1, Math.floor(spec.default / scale))));
  }
}
