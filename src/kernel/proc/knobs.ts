/**
 * Keeps the tunables that hot paths read in step with the knobs.
 *
 * Models:       the store functions of mm/huge_memory.c, mm/khugepaged.c, kernel/sysctl.c,
 *               kernel/sched/debug.c, v6.1.
 * Not modelled: waking khugepaged when a pause is shortened (the new pause counts from the next pass on).
 */
import type { Knobs } from "../../core/knobs.ts";
import type { Tunables } from "../tunables.ts";

const THP = "transparent_hugepage/";
const DAEMON = THP + "khugepaged/";

/** Copies every knob into the tunables, now and after each write. `changed` is told after a copy. */
export function bindTunables(knobs: Knobs, tunables: Tunables, changed: (name: string) => void): void {
  knobs.watch((name) => {
    copyKnob(knobs, tunables, name);
    changed(name);
  });
}

type Setter = (tunables: Tunables, knobs: Knobs, name: string) => void;

/** The scanner's knobs, under their names of that kernel. */
function numaSetters(prefix: string): Readonly<Record<string, Setter>> {
  return {
    [prefix + "scan_delay_ms"]: (t, knobs, name) => {
      t.numaScanDelayMs = knobs.readNumber(name);
    },
    [prefix + "scan_period_min_ms"]: (t, knobs, name) => {
      t.numaScanPeriodMinMs = knobs.readNumber(name);
    },
    [prefix + "scan_period_max_ms"]: (t, knobs, name) => {
      t.numaScanPeriodMaxMs = knobs.readNumber(name);
    },
    [prefix + "scan_size_mb"]: (t, knobs, name) => {
      t.numaScanSizeMb = knobs.readNumber(name);
    },
  };
}

const SETTERS: Readonly<Record<string, Setter>> = {
  [THP + "enabled"]: (t, knobs, name) => {
    t.enabled = knobs.read(name) as Tunables["enabled"];
  },
  [THP + "defrag"]: (t, knobs, name) => {
    t.defrag = knobs.read(name) as Tunables["defrag"];
  },
  [THP + "use_zero_page"]: (t, knobs, name) => {
    t.useZeroPage = knobs.readNumber(name) === 1;
  },
  [THP + "promotion_threshold"]: (t, knobs, name) => {
    t.promotionThreshold = knobs.readNumber(name);
  },
  [THP + "shrink_underused"]: (t, knobs, name) => {
    t.shrinkUnderused = knobs.readNumber(name) === 1;
  },
  [DAEMON + "defrag"]: (t, knobs, name) => {
    t.khugepagedDefrag = knobs.readNumber(name) === 1;
  },
  [DAEMON + "pages_to_scan"]: (t, knobs, name) => {
    t.pagesToScan = knobs.readNumber(name);
  },
  [DAEMON + "scan_sleep_millisecs"]: (t, knobs, name) => {
    t.scanSleepMs = knobs.readNumber(name);
  },
  [DAEMON + "alloc_sleep_millisecs"]: (t, knobs, name) => {
    t.allocSleepMs = knobs.readNumber(name);
  },
  [DAEMON + "max_ptes_none"]: (t, knobs, name) => {
    t.maxPtesNone = knobs.readNumber(name);
  },
  [DAEMON + "max_ptes_swap"]: (t, knobs, name) => {
    t.maxPtesSwap = knobs.readNumber(name);
  },
  [DAEMON + "max_ptes_shared"]: (t, knobs, name) => {
    t.maxPtesShared = knobs.readNumber(name);
  },
  "vm.swappiness": (t, knobs, name) => {
    t.swappiness = knobs.readNumber(name);
  },
  "vm.page-cluster": (t, knobs, name) => {
    t.pageCluster = knobs.readNumber(name);
  },
  "vm.watermark_scale_factor": (t, knobs, name) => {
    t.watermarkScaleFactor = knobs.readNumber(name);
  },
  "vm.min_free_kbytes": (t, knobs, name) => {
    t.minFreeKb = knobs.readNumber(name);
  },
  "vm.zone_reclaim_mode": (t, knobs, name) => {
    t.zoneReclaimMode = knobs.readNumber(name);
  },
  "vm.overcommit_memory": (t, knobs, name) => {
    t.overcommitMemory = knobs.readNumber(name);
  },
  "sched_features/NUMA": (t, knobs, name) => {
    t.numaBalancing = knobs.readNumber(name) !== 0;
  },
  "autonuma/enabled": (t, knobs, name) => {
    t.numaBalancing = knobs.readNumber(name) !== 0;
  },
  "kernel.numa_balancing": (t, knobs, name) => {
    t.numaBalancing = knobs.readNumber(name) !== 0;
    t.numaBalancingMode = knobs.readNumber(name);
  },
  ...numaSetters("sched/numa_balancing/"),
  ...numaSetters("kernel.numa_balancing_"),
};

function copyKnob(knobs: Knobs, tunables: Tunables, name: string): void {
  SETTERS[name]?.(tunables, knobs, name);
}
