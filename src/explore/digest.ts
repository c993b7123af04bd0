/**
 * A final state as text: two runs whose texts are equal ended in the same state. For the claim that reduction
 * leaves no final state out.
 */
import { isColumn, isLock, walkState } from "./state-graph.ts";
import type { World } from "./world.ts";

/** Remembered look-ups, time, and what is the same in every state. */
const LEFT_OUT = new Set([
  "cachedTable",
  "cachedFirstVpn",
  "lastVma",
  "nowNs",
  "cpu",
  "machine",
  "costs",
  "knobs",
  "behaviours",
  "geometry",
  "tunables",
]);

/** The state of a world, every number of it. */
export function digestOf({ k, memory }: World): string {
  const graph = walkState({ k, memory });
  const parts: string[] = [];
  for (const [value, name] of graph.names) {
    if (typeof value !== "object" || value === null) continue;
    if (isLock(value)) continue;
    if (isColumn(value)) {
      if (!name.startsWith("tlb.")) parts.push(`${name}:${sparse(value)}`);
    } else if (Array.isArray(value)) parts.push(`${name}×${value.length}`);
    else if (value instanceof Map || value instanceof Set) parts.push(`${name}×${value.size}`);
    else parts.push(`${name}:${plain(value)}`);
  }
  return parts.sort().join("\n");
}

function sparse(column: ArrayLike<number>): string {
  let text = "";
  for (let i = 0; i < column.length; i++) if (column[i] !== 0) text += ` ${i}=${column[i]}`;
  return text;
}

function plain(value: object): string {
  let text = "";
  for (const [key, field] of Object.entries(value)) {
    if (LEFT_OUT.has(key) || typeof field === "object" || typeof field === "function") continue;
    text += ` ${key}=${String(field)}`;
  }
  return text;
}
