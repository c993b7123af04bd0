/** Knob values that hot paths read: plain fields, kept in step with the knobs by `kernel/proc/knobs.ts`. */
export interface Tunables {
  /** transparent_hugepage/enabled */
  enabled: "always" | "madvise" | "never";
  /** transparent_hugepage/defrag */
  defrag: "always" | "defer" | "defer+madvise" | "madvise" | "never";
  /** transparent_hugepage/use_zero_page */
  useZeroPage: boolean;
  /** transparent_hugepage/khugepaged/… */
  khugepagedDefrag: boolean;
  pagesToScan: number;
  scanSleepMs: number;
  allocSleepMs: number;
  maxPtesNone: number;
  maxPtesSwap: number;
  maxPtesShared: number;
  /** transparent_hugepage/promotion_threshold, where there are reservations; else 1 */
  promotionThreshold: number;
  /** transparent_hugepage/shrink_underused (6.12+) */
  shrinkUnderused: boolean;
  /** vm.swappiness */
  swappiness: number;
  /** vm.page-cluster: read-ahead of swap takes up to 2^n pages */
  pageCluster: number;
  /** vm.watermark_scale_factor, in 1/10000 of a zone */
  watermarkScaleFactor: number;
  /** vm.min_free_kbytes as written, or -1 while the kernel computes it */
  minFreeKb: number;
  /** vm.zone_reclaim_mode */
  zoneReclaimMode: number;
  /** vm.overcommit_memory */
  overcommitMemory: number;
  /** kernel.numa_balancing: not 0, and its bits */
  numaBalancing: boolean;
  numaBalancingMode: number;
  /** sched/numa_balancing/… */
  numaScanDelayMs: number;
  numaScanPeriodMinMs: number;
  numaScanPeriodMaxMs: number;
  numaScanSizeMb: number;
}

export function defaultTunables(): Tunables {
  return {
    enabled: "always",
    defrag: "madvise",
    useZeroPage: true,
    khugepagedDefrag: true,
    pagesToScan: 4096,
    scanSleepMs: 10_000,
    allocSleepMs: 60_000,
    maxPtesNone: 511,
    maxPtesSwap: 64,
    maxPtesShared: 256,
    promotionThreshold: 1,
    shrinkUnderused: true,
    swappiness: 60,
    pageCluster: 3,
    watermarkScaleFactor: 10,
    minFreeKb: -1,
    zoneReclaimMode: 0,
    overcommitMemory: 0,
    numaBalancing: false,
    numaBalancingMode: 1,
    numaScanDelayMs: 1000,
    numaScanPeriodMinMs: 1000,
    numaScanPeriodMaxMs: 60_000,
    numaScanSizeMb: 256,
  };
}
