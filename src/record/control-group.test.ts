import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { groupPlace, moveToGroup } from "./control-group.ts";
import { launch, launcherMissing } from "./launcher.ts";

const V2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,relatime,nsdelegate 0 0\n";
const HYBRID =
  "tmpfs /sys/fs/cgroup tmpfs rw,mode=755 0 0\n" +
  "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n" +
  "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n";
const OLD = "cgroup /sys/fs/cgroup/perf_event cgroup rw,relatime,perf_event 0 0\n";

describe("where perf looks for control groups", () => {
  test("is the group of version 2, if nothing older has perf's events", () => {
    expect(groupPlace(V2, "0::/user.slice/session-4.scope\n")).toEqual({
      mount: "/sys/fs/cgroup",
      own: "/user.slice/session-4.scope",
    });
    expect(groupPlace(HYBRID, "4:memory:/a\n0::/\n")).toEqual({ mount: "/sys/fs/cgroup/unified", own: "/" });
  });

  test("is the old hierarchy of perf_event where it is mounted", () => {
    expect(groupPlace(HYBRID + OLD, "5:net_cls,perf_event:/old\n0::/new\n")).toEqual({
      mount: "/sys/fs/cgroup/perf_event",
      own: "/old",
    });
  });

  test("is nowhere without groups", () => {
    expect(groupPlace("proc /proc proc rw 0 0\n", "")).toBeUndefined();
    expect(groupPlace(V2, "4:memory:/a\n")).toBeUndefined();
  });
});

const missing = launcherMissing();

describe.skipIf(missing !== undefined)("a control group", () => {
  test("holds the program until it is taken away, and leaves nothing behind", async ({ skip }) => {
    const launched = await launch(["sleep", "60"], { hugePagesOff: false, fixedLayout: false });
    const group = moveToGroup(launched.pid);
    try {
      if (group === undefined) return skip("no control groups, or not root");
      expect(readFileSync(`${group.path}/cgroup.procs`, "utf8")).toBe(`${launched.pid}\n`);
      await group.remove();
      expect(existsSync(group.path)).toBe(false);
      expect(readFileSync(`/proc/${launched.pid}/cgroup`, "utf8")).toBe(
        readFileSync("/proc/self/cgroup", "utf8"),
      );
    } finally {
      launched.signal("SIGKILL");
      await group?.remove();
    }
  });
});
