/** Events in words: their names, what their numbers are, and one line for people. */
import { EVENT, type EventCode, FAULT_KINDS, FLUSH_CAUSES, RELEASE_CAUSES } from "../core/events.ts";
import type { EventColumns, Recording } from "../metrics/recording.ts";
import { formatTime } from "./format.ts";

/** What the numbers a, b, c, d of each event are; core/events.ts explains them. */
const NUMBERS: Readonly<Record<string, readonly string[]>> = {
  fault: ["mm", "vpn", "kind", "latency_ns"],
  hugeFault: ["mm", "vpn", "head_pfn"],
  collapse: ["mm", "vpn", "head_pfn", "pages_copied"],
  splitPmd: ["mm", "vpn", "head_pfn"],
  splitPage: ["head_pfn"],
  shootdown: ["mm", "pages", "cpus_interrupted", "cause"],
  scanRefused: ["mm", "vpn", "reason"],
  scanPass: ["regions", "collapsed", "time_ns"],
  reserve: ["mm", "vpn", "head_pfn"],
  release: ["mm", "vpn", "unused_pages", "cause"],
  promote: ["mm", "vpn", "head_pfn", "unused_pages"],
  compaction: ["node", "order", "succeeded", "time_ns"],
  reclaim: ["node", "scanned", "freed", "time_ns"],
  fork: ["mm", "child_mm", "time_ns"],
  exit: ["mm"],
  oom: ["mm", "order"],
  cowCopy: ["mm", "vpn"],
  migrate: ["vpn", "from_node", "to_node", "order"],
  migrateFailed: ["from_node", "to_node", "order", "reason"],
  moveWindow: ["order", "moved", "time_ns"],
  moveWait: ["head_pfn", "time_ns"],
  hintFault: ["mm", "order", "local", "time_ns"],
  numaScan: ["mm", "pages", "marked", "time_ns"],
};

const NAMES: readonly string[] = (() => {
  const names: string[] = [];
  for (const [name, code] of Object.entries(EVENT)) names[code] = name;
  return names;
})();

/** `hugeFault`, … as in core/events.ts. */
export const eventName = (code: number): string => NAMES[code] ?? `event ${code}`;

/** Names of the numbers that an event carries, in order; those of events that this list lacks are a to d. */
export function numberNames(code: number): readonly string[] {
  return NUMBERS[eventName(code)] ?? ["a", "b", "c", "d"];
}

/** The page of an event, or undefined when it has none. */
export function pageOfEvent(events: EventColumns, i: number): number | undefined {
  const at = numberNames(events.code[i]!).indexOf("vpn");
  const value = at === 0 ? events.a[i] : at === 1 ? events.b[i] : undefined;
  return value === undefined || value < 0 ? undefined : value;
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/** One line about an event, without its time and place. */
export function describeEvent({ events }: Recording, i: number): string {
  const code = events.code[i]! as EventCode;
  const c = events.c[i]!;
  const d = events.d[i]!;
  switch (code) {
    case EVENT.fault:
      return `fault ${FAULT_KINDS[c] ?? c}, ${formatTime(d)}`;
    case EVENT.hugeFault:
      return "huge page from a fault";
    case EVENT.collapse:
      return `collapse to a huge page, ${plural(d, "page")} copied`;
    case EVENT.splitPmd:
      return "huge PMD split to a table";
    case EVENT.splitPage:
      return "huge page split";
    case EVENT.shootdown:
      return (
        `TLB flush (${FLUSH_CAUSES[d] ?? d}): ${plural(events.b[i]!, "page")}, ` +
        `${plural(c, "CPU")} interrupted`
      );
    case EVENT.scanRefused:
      return "khugepaged looked and left";
    case EVENT.scanPass:
      return `khugepaged pass: ${plural(events.a[i]!, "region")}, ${events.b[i]!} collapsed`;
    case EVENT.reserve:
      return "block reserved";
    case EVENT.release:
      return `reservation released (${RELEASE_CAUSES[d] ?? d}): ${plural(c, "page")} unused`;
    case EVENT.promote:
      return `reservation became a huge page: ${plural(d, "page")} unused`;
    case EVENT.compaction:
      return `compaction for order ${events.b[i]!}: ${c === 1 ? "made room" : "no room"}, ${formatTime(d)}`;
    case EVENT.reclaim:
      return `reclaim: ${events.b[i]!} scanned, ${c} freed, ${formatTime(d)}`;
    case EVENT.fork:
      return `fork, ${formatTime(c)}`;
    case EVENT.exit:
      return "exit";
    case EVENT.oom:
      return "out of memory";
    case EVENT.cowCopy:
      return "page copied after fork";
    case EVENT.migrate:
      return `page moved from node ${events.b[i]!} to ${c}`;
    default:
      return eventName(code);
  }
}
