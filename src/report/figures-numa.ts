/** The rows of machines with several nodes: see `figures.ts`. Runs on one node know none of them. */
import { FLUSH_CAUSES, type FlushCause } from "../core/events.ts";
import type { FailedMoves, Result } from "../metrics/result.ts";
import type { Figure } from "./figures.ts";
import { AUTONUMA_FIGURES } from "./figures-autonuma.ts";

/** The part of all lines that came from the CPU's own node between two moments. */
function localShare(result: Result, fromNs: number, toNs: number): number | undefined {
  if (result.numa === undefined) return undefined;
  const { tNs, localLines, remoteLines } = result.series;
  const between = (lines: readonly number[]): number => at(tNs, lines, toNs) - at(tNs, lines, fromNs);
  const local = between(localLines);
  const all = local + between(remoteLines);
  return all > 0 ? local / all : undefined;
}

/** A growing count at a moment, between two points of its series on the line through them. */
function at(tNs: readonly number[], counts: readonly number[], atNs: number): number {
  const after = tNs.findIndex((t) => t >= atNs);
  if (after === 0) return counts[0]!;
  if (after < 0) return counts.at(-1) ?? 0;
  const part = (atNs - tNs[after - 1]!) / (tNs[after]! - tNs[after - 1]!);
  return counts[after - 1]! + (counts[after]! - counts[after - 1]!) * part;
}

const QUARTERS = ["first", "second", "third", "last"];

const LOCALITY: readonly Figure[] = [
  {
    key: "local_share",
    label: "local accesses",
    doc: "Share of the cache lines fetched from memory that were on the node of the CPU.",
    kind: "share",
    better: "higher",
    read: (r) => localShare(r, 0, r.runNs),
  },
  ...QUARTERS.map(
    (which, i): Figure => ({
      key: `local_share_q${i + 1}`,
      label: `· in the ${which} quarter of the run`,
      doc: `The same in the ${which} quarter of simulated time.`,
      kind: "share",
      better: "higher",
      read: (r) => localShare(r, (r.runNs * i) / 4, (r.runNs * (i + 1)) / 4),
    }),
  ),
  {
    key: "remote_time",
    label: "time lost to remote memory",
    doc: "How much longer fetching took because the memory was on another node, over all CPUs.",
    kind: "ns",
    better: "lower",
    read: (r) => r.numa?.remoteNs,
  },
  {
    key: "memory_wait",
    label: "waiting for busy memory",
    doc: "How long fetching waited because other CPUs used the same node's memory, over all CPUs.",
    kind: "ns",
    better: "lower",
    read: (r) => r.numa?.memoryWaitNs,
    rare: true,
  },
];

const count = (name: string) => (r: Result) => (r.numa === undefined ? undefined : (r.vmstat[name] ?? 0));

const BALANCING: readonly Figure[] = [
  {
    key: "hint_faults",
    label: "hint faults",
    doc: "Faults that NUMA balancing caused to learn who uses a page (numa_hint_faults).",
    kind: "count",
    better: "neither",
    read: count("numa_hint_faults"),
  },
  {
    key: "hint_local_share",
    label: "· of them local",
    doc: "Share of them whose page was on the node of the CPU (numa_hint_faults_local).",
    kind: "share",
    better: "higher",
    read: (r) => {
      const all = r.vmstat.numa_hint_faults ?? 0;
      return r.numa === undefined || all === 0 ? undefined : (r.vmstat.numa_hint_faults_local ?? 0) / all;
    },
  },
  {
    key: "hint_time",
    label: "time in hint faults",
    doc: "What they took together, moving pages included, over all CPUs.",
    kind: "ns",
    better: "lower",
    read: (r) => r.numa?.hintNs,
  },
  {
    key: "pages_migrated",
    label: "pages migrated",
    doc: "Base pages that hint faults moved, those of huge pages included (numa_pages_migrated).",
    kind: "count",
    better: "neither",
    read: count("numa_pages_migrated"),
  },
  {
    key: "huge_migrated",
    label: "· huge pages among them",
    doc: "Huge pages that moved as a whole (thp_migration_success).",
    kind: "count",
    better: "neither",
    read: count("thp_migration_success"),
  },
  {
    key: "move_time",
    label: "pages out of reach while moving",
    doc: "Time in which entries could not be used because their page moved, or was to move.",
    kind: "ns",
    better: "lower",
    read: (r) => r.numa?.moveNs,
    rare: true,
  },
  {
    key: "move_wait",
    label: "faults waiting for moving pages",
    doc: "How long other faults waited for a page on its way.",
    kind: "ns",
    better: "lower",
    read: (r) => r.numa?.moveWaitNs,
    rare: true,
  },
];

const WHY: Readonly<Record<keyof FailedMoves, string>> = {
  refused: "may not move (mapped more than once)",
  noRoom: "no room on the node",
  notIsolated: "on no list",
  noMemory: "no free block of its size",
  busy: "in use by somebody else",
};

const FAILURES: readonly Figure[] = Object.entries(WHY).map(([why, words]) => ({
  key: "failed_moves_" + why.replace(/[A-Z]/, (letter) => "_" + letter.toLowerCase()),
  label: "not migrated: " + words,
  doc: `Pages that a hint fault wanted to move and could not, because: ${words}. A huge page counts once.`,
  kind: "count" as const,
  better: "lower" as const,
  read: (r: Result) => r.numa?.failedMoves[why as keyof FailedMoves],
  rare: true,
}));

const SCANS: readonly Figure[] = [
  {
    key: "scan_passes",
    label: "scanner passes",
    doc: "How often NUMA balancing's scanner went through a window of an address space.",
    kind: "count",
    better: "neither",
    read: (r) => r.numa?.scans,
    rare: true,
  },
  {
    key: "scan_time",
    label: "scanner time",
    doc: "What those passes took, over all CPUs.",
    kind: "ns",
    better: "lower",
    read: (r) => r.numa?.scanNs,
    rare: true,
  },
];

const TASKS: readonly Figure[] = [
  {
    key: "tasks_moved",
    label: "tasks moved by the load balancer",
    doc: "How often the load balancer took a task to another CPU, of its node or of another.",
    kind: "count",
    better: "neither",
    read: ({ numa }) => (numa === undefined ? undefined : numa.tasksWithinNode + numa.tasksBetweenNodes),
    rare: true,
  },
  {
    key: "tasks_between_nodes",
    label: "· to another node",
    doc: "How often the load balancer took a task to another node.",
    kind: "count",
    better: "neither",
    read: (r) => r.numa?.tasksBetweenNodes,
    rare: true,
  },
];

/** One row for each cause of shootdown interrupts. */
const INTERRUPTS: readonly Figure[] = FLUSH_CAUSES.map((cause: FlushCause) => ({
  key: `interrupts_${cause}`,
  label: `shootdown interrupts: ${cause}`,
  doc: `Interrupts sent to other CPUs so that they forget a translation; cause: ${cause}.`,
  kind: "count" as const,
  better: "lower" as const,
  read: (r: Result) => (r.numa === undefined ? undefined : (r.shootdowns.byCause[cause] ?? 0)),
  rare: true,
}));

export const NUMA_FIGURES: readonly Figure[] = [
  ...LOCALITY,
  ...BALANCING,
  ...FAILURES,
  ...SCANS,
  ...TASKS,
  ...AUTONUMA_FIGURES,
  ...INTERRUPTS,
];
