/**
 * The counters of /proc/vmstat that the model keeps, under their kernel names. A counter is an index into one
 * Float64Array; gauges (`nr_*`) are in base pages unless their kernel definition says otherwise.
 *
 * Models:       mm/vmstat.c vmstat_text[], v6.1 (superset; a generation lists those that its kernel lacks).
 * Not modelled: file, shmem and hugetlb counters; per-memcg counts.
 */

export const COUNTER_NAMES = [
  // gauges, base pages
  "nr_free_pages",
  "nr_anon_pages",
  "nr_anon_transparent_hugepages", // huge pages with at least one PMD mapping, not base pages
  "nr_page_table_pages",
  "nr_inactive_anon",
  "nr_active_anon",
  "nr_isolated_anon",
  "nr_swapcached",
  "nr_thp_reserved",
  // faults, swap
  "pgfault",
  "pgmajfault",
  "pgreuse",
  "pswpin",
  "pswpout",
  "swpin_zero",
  "swpout_zero",
  "swap_ra",
  "swap_ra_hit",
  // page allocator, reclaim
  "pgalloc_dma",
  "pgalloc_dma32",
  "pgalloc_normal",
  "pgfree",
  "pglazyfree",
  "pglazyfreed",
  "pgdeactivate",
  "pgactivate",
  "pgscan_direct",
  "pgscan_kswapd",
  "pgsteal_direct",
  "pgsteal_kswapd",
  "allocstall_normal",
  "allocstall_movable",
  "oom_kill",
  // compaction, migration
  "compact_stall",
  "compact_fail",
  "compact_success",
  "compact_isolated",
  "compact_migrate_scanned",
  "compact_free_scanned",
  "compact_daemon_wake",
  "pgmigrate_success",
  "pgmigrate_fail",
  "thp_migration_success",
  "thp_migration_fail",
  "thp_migration_split",
  // transparent huge pages
  "thp_fault_alloc",
  "thp_fault_fallback",
  "thp_fault_fallback_charge",
  "thp_collapse_alloc",
  "thp_collapse_alloc_failed",
  "thp_split_page",
  "thp_split_page_failed",
  "thp_deferred_split_page",
  "thp_underused_split_page",
  "thp_split_pmd",
  "thp_scan_exceed_none_pte",
  "thp_scan_exceed_swap_pte",
  "thp_scan_exceed_share_pte",
  "thp_zero_page_alloc",
  "thp_zero_page_alloc_failed",
  "thp_swpout",
  "thp_swpout_fallback",
  "thp_res_alloc",
  "thp_res_alloc_failed",
  "res_pages_collapsed", // khugepaged/res_pages_collapsed; a vmstat counter as the review wanted it
  "thp_res_promoted_fault", // the model's own: promotions by the fault that reached the threshold
  "thp_res_dropped", // the model's own: reservations dropped at memory pressure
  // NUMA balancing
  "numa_pte_updates",
  "numa_huge_pte_updates",
  "numa_hint_faults",
  "numa_hint_faults_local",
  "numa_pages_migrated",
  // shootdowns
  "nr_tlb_remote_flush",
  "nr_tlb_remote_flush_received",
  "nr_tlb_local_flush_all",
  "nr_tlb_local_flush_one",
] as const;

export type CounterName = (typeof COUNTER_NAMES)[number];

/** Index of each counter: `k.vmstat[C.thp_fault_alloc] += 1`. */
export const C: Readonly<Record<CounterName, number>> = Object.fromEntries(
  COUNTER_NAMES.map((name, index) => [name, index]),
) as Record<CounterName, number>;

/** True for gauges, which may fall; the others only grow. */
export function isGauge(name: string): boolean {
  return name.startsWith("nr_") && !name.startsWith("nr_tlb_");
}
