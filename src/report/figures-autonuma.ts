/** AutoNUMA's own counters, under the names of its sysfs folder where it shows them. */
import type { AutonumaResult, Result } from "../metrics/result.ts";
import type { Figure } from "./figures.ts";

const ROWS: readonly (readonly [key: keyof AutonumaResult, label: string, doc: string])[] = [
  ["fullScans", "autonuma full_scans", "Passes of knuma_scand over all address spaces."],
  ["pagesScanned", "autonuma pages_scanned", "What those passes called progress, in pages."],
  ["markedPages", "· pages really marked", "Pages whose entry, or whose table's, knuma_scand marked."],
  ["pagesMigrated", "autonuma pages_migrated", "Pages isolated to be moved (in reviewed forms: moved)."],
  ["movedPages", "· pages really moved", "Pages that AutoNUMA moved to another node."],
  ["failedPages", "· pages put back", "Pages that were isolated and could not be moved."],
  ["queuedPages", "pages queued", "Pages that hint faults put on a node's migration queue."],
  ["cancelledPages", "· called back", "Queued pages that a fault from another node took off their queue."],
  ["lostPages", "· lost", "Pages that were taken off their queue and could not be isolated."],
  ["queuePeakPages", "longest queue", "The most pages that waited for one node."],
];

const snakeCase = (key: string): string => key.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase());

export const AUTONUMA_FIGURES: readonly Figure[] = ROWS.map(([key, label, doc]) => ({
  key: "autonuma_" + snakeCase(key),
  label,
  doc,
  kind: "count" as const,
  better: "neither" as const,
  read: (r: Result) => r.numa?.autonuma?.[key],
  rare: true,
}));
