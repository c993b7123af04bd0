/**
 * A control group for the program to be recorded. perf can watch a group on every CPU; watching a process, it
 * must give each new child its own copy of all events, for each CPU, and take them back at the child's end:
 * a tree of short processes then takes two to three times its time (docs/FIDELITY.md).
 *
 *     own group ──▶ own group/pagewise-71 ◀── the stopped program, and all that it starts
 *
 * The group lies below the one that pagewise runs in, has no controllers and so no limits of its own, and is
 * taken away with the recording.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readHost } from "./host-facts.ts";

export interface ControlGroup {
  /** As perf takes it: below where the groups are mounted. */
  readonly name: string;
  readonly path: string;
  /** Puts what still runs back where it came from, and takes the group away. */
  remove(): Promise<void>;
}

/** Where perf looks for groups, and our own one there. */
export interface GroupPlace {
  readonly mount: string;
  /** Begins with a slash. */
  readonly own: string;
}

/**
 * From the lines of /proc/mounts and /proc/self/cgroup: the old hierarchy of perf_event if there is one, else
 * that of version 2. Undefined where there is neither.
 */
export function groupPlace(mounts: string, memberships: string): GroupPlace | undefined {
  const lines = mounts.split("\n").map((line) => line.split(" "));
  const old = lines.find(
    ([, , type, flags]) => type === "cgroup" && flags!.split(",").includes("perf_event"),
  );
  const mount = (old ?? lines.find(([, , type]) => type === "cgroup2"))?.[1];
  const pattern = old === undefined ? /^0::(\/.*)$/m : /^\d+:(?:[^:]*,)?perf_event(?:,[^:]*)?:(\/.*)$/m;
  const own = pattern.exec(memberships)?.[1];
  return mount === undefined || own === undefined ? undefined : { mount, own };
}

const PREFIX = "pagewise-";

/**
 * Moves a process into a new group; undefined where that is not possible: no groups, not root, a container
 * that may not change them.
 */
export function moveToGroup(pid: number): ControlGroup | undefined {
  const place = groupPlace(readHost("/proc/mounts") ?? "", readHost("/proc/self/cgroup") ?? "");
  if (place === undefined) return undefined;
  const parent = join(place.mount, place.own);
  const path = join(parent, `${PREFIX}${process.pid}`);
  try {
    removeLeftOvers(parent);
    mkdirSync(path);
  } catch {
    return undefined;
  }
  const group = { name: path.slice(place.mount.length + 1), path, remove: () => removeGroup(path, parent) };
  try {
    writeFileSync(join(path, "cgroup.procs"), String(pid));
    return group;
  } catch {
    rmdirSync(path);
    return undefined;
  }
}

/** Groups of recorders that were killed. */
function removeLeftOvers(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : "";
    if (!/^\d+$/.test(pid) || readHost(`/proc/${pid}/stat`) !== undefined) continue;
    try {
      rmdirSync(join(parent, name));
    } catch {
      // Its program runs on.
    }
  }
}

/** A process that has just ended may be counted for some milliseconds more. */
const TRIES = 50;

async function removeGroup(path: string, parent: string): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      for (const pid of readFileSync(join(path, "cgroup.procs"), "utf8").split("\n")) {
        if (pid !== "") writeFileSync(join(parent, "cgroup.procs"), pid);
      }
      rmdirSync(path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      await sleep(2);
    }
  }
}
