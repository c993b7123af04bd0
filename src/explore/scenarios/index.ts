/** The only list of scenarios: from it come `pagewise check`, its table and the tests. */
import type { Scenario } from "../scenario.ts";
import { AGING_BY_PASSES } from "./aging-by-passes.ts";
import { AREA_WITHOUT_A_TABLE } from "./area-without-a-table.ts";
import { BATCH_BOUND } from "./batch-bound.ts";
import { BOOKKEEPING_LOSES_RESERVATIONS } from "./bookkeeping-loses-reservations.ts";
import { COLLAPSE_AND_PIN } from "./collapse-and-pin.ts";
import { COLLAPSE_AND_WRITE } from "./collapse-and-write.ts";
import { COLLAPSE_AND_ZAP } from "./collapse-and-zap.ts";
import { COPY_ON_WRITE_TWICE } from "./copy-on-write-twice.ts";
import { ELSEWHERE } from "./elsewhere.ts";
import { EMPTY_PMD_HIDES_MEMORY } from "./empty-pmd-hides-memory.ts";
import { EXIT_WHILE_SCANNED } from "./exit-while-scanned.ts";
import { FAULT_THAT_REACHES_THE_THRESHOLD } from "./fault-that-reaches-the-threshold.ts";
import { FAULTERS_KEEP_THE_PAGE } from "./faulters-keep-the-page.ts";
import { FILTER_OF_TWO_NODES } from "./filter-of-two-nodes.ts";
import { FORK_AND_WRITE } from "./fork-and-write.ts";
import { FREED_WHILE_QUEUED } from "./freed-while-queued.ts";
import { GENUINE_PROT_NONE } from "./genuine-prot-none.ts";
import { HUGE_COPY_ON_WRITE_TWICE } from "./huge-copy-on-write-twice.ts";
import { HUGE_COPY_WITH_AN_OLD_PMD } from "./huge-copy-with-an-old-pmd.ts";
import { HUGE_ZERO_PAGE_IS_NO_HINT } from "./huge-zero-page-is-no-hint.ts";
import { MOVE_OF_A_HUGE_PAGE_FLUSHES } from "./move-of-a-huge-page-flushes.ts";
import { MREMAP_AND_WRITE } from "./mremap-and-write.ts";
import { MREMAP_OF_RESERVATIONS } from "./mremap-of-reservations.ts";
import { MUTEX_ON_FORK_AND_EXIT } from "./mutex-on-fork-and-exit.ts";
import { NO_ROOM_FOR_A_HUGE_PAGE } from "./no-room-for-a-huge-page.ts";
import { NODE_OF_THE_STATISTICS } from "./node-of-the-statistics.ts";
import { NOTHING_TO_SCAN } from "./nothing-to-scan.ts";
import { ONE_ACCESS_COUNTS_FOR_A_TABLE } from "./one-access-counts-for-a-table.ts";
import { PAGE_FROM_ELSEWHERE } from "./page-from-elsewhere.ts";
import { PAGES_MIGRATED_THAT_WERE_NOT } from "./pages-migrated-that-were-not.ts";
import { PARENT_WRITES_AFTER_FORK } from "./parent-writes-after-fork.ts";
import { PASS_WITH_THE_LOCK_FOR_WRITING } from "./pass-with-the-lock-for-writing.ts";
import { PIN_AFTER_FORK } from "./pin-after-fork.ts";
import { PIN_DURING_COPY } from "./pin-during-copy.ts";
import { PIN_THEN_MIGRATE } from "./pin-then-migrate.ts";
import { PROMOTION_AND_PIN } from "./promotion-and-pin.ts";
import { PROTECT_DURING_MIGRATION } from "./protect-during-migration.ts";
import { RECLAIM_DURING_MIGRATION } from "./reclaim-during-migration.ts";
import { REFERENCE_DROPPED_BEFORE_ISOLATION } from "./reference-dropped-before-isolation.ts";
import { REFUSED_PAGES_USE_UP_THE_WINDOW } from "./refused-pages-use-up-the-window.ts";
import { RESERVATION_AFTER_FORK } from "./reservation-after-fork.ts";
import { RESERVED_COUNTER_DRIFT } from "./reserved-counter-drift.ts";
import { RESTORING_NEEDS_NO_FLUSH } from "./restoring-needs-no-flush.ts";
import { SCANNER_MEETS_A_SPLIT } from "./scanner-meets-a-split.ts";
import { SCANNER_STOPPED } from "./scanner-stopped.ts";
import { SECOND_FAULT_FOR_A_WRITE } from "./second-fault-for-a-write.ts";
import { SPLIT_DURING_MIGRATION } from "./split-during-migration.ts";
import { STALE_WRITE_BEFORE_FLUSH } from "./stale-write-before-flush.ts";
import { SWAP_OUT_OF_A_RESERVED_PAGE } from "./swap-out-of-a-reserved-page.ts";
import { TAIL_PUBLISHED_EARLY } from "./tail-published-early.ts";
import { THRESHOLD_ONE_IS_NEUTRAL } from "./threshold-one-is-neutral.ts";
import { TWO_FAULTS_ON_ONE_HINT } from "./two-faults-on-one-hint.ts";
import { TWO_NODES_QUEUE_ONE_PAGE } from "./two-nodes-queue-one-page.ts";
import { TWO_THREADS_COPY_ONE_PAGE } from "./two-threads-copy-one-page.ts";
import { TWO_THREADS_ONE_HUGE_PAGE } from "./two-threads-one-huge-page.ts";
import { TWO_THREADS_ONE_PAGE } from "./two-threads-one-page.ts";
import { TWO_THREADS_RESERVE } from "./two-threads-reserve.ts";
import { UNFLUSHED_MARKS } from "./unflushed-marks.ts";
import { UNITS_OF_A_HUGE_PAGE } from "./units-of-a-huge-page.ts";
import { UNMAP_DURING_HINT_FAULT } from "./unmap-during-hint-fault.ts";
import { USED_WHILE_IT_MOVES } from "./used-while-it-moves.ts";
import { WEIGHT_WITHOUT_FAULTS } from "./weight-without-faults.ts";
import { WHO_PAYS_FOR_MIGRATION } from "./who-pays-for-migration.ts";
import { WRITE_RIGHT_AFTER_FORK } from "./write-right-after-fork.ts";
import { WRITTEN_WHILE_IT_MOVES } from "./written-while-it-moves.ts";
import { ZAP_AND_WRITE } from "./zap-and-write.ts";
import { ZAP_DURING_COPY } from "./zap-during-copy.ts";
import { ZAP_DURING_MIGRATION } from "./zap-during-migration.ts";
import { ZAP_WHILE_RESERVING } from "./zap-while-reserving.ts";
import { ZERO_PAGE_FAULT_RESERVES } from "./zero-page-fault-reserves.ts";

export const SCENARIOS: readonly Scenario[] = [
  COLLAPSE_AND_PIN,
  COLLAPSE_AND_WRITE,
  COLLAPSE_AND_ZAP,
  COPY_ON_WRITE_TWICE,
  FORK_AND_WRITE,
  HUGE_COPY_ON_WRITE_TWICE,
  MREMAP_AND_WRITE,
  PIN_AFTER_FORK,
  TWO_THREADS_COPY_ONE_PAGE,
  TWO_THREADS_ONE_HUGE_PAGE,
  TWO_THREADS_ONE_PAGE,
  ZAP_AND_WRITE,
  MOVE_OF_A_HUGE_PAGE_FLUSHES,
  USED_WHILE_IT_MOVES,
  WRITTEN_WHILE_IT_MOVES,
  TWO_FAULTS_ON_ONE_HINT,
  STALE_WRITE_BEFORE_FLUSH,
  SPLIT_DURING_MIGRATION,
  PROTECT_DURING_MIGRATION,
  UNMAP_DURING_HINT_FAULT,
  ZAP_DURING_MIGRATION,
  EMPTY_PMD_HIDES_MEMORY,
  PIN_DURING_COPY,
  ZAP_DURING_COPY,
  UNITS_OF_A_HUGE_PAGE,
  NO_ROOM_FOR_A_HUGE_PAGE,
  WRITE_RIGHT_AFTER_FORK,
  HUGE_ZERO_PAGE_IS_NO_HINT,
  NODE_OF_THE_STATISTICS,
  THRESHOLD_ONE_IS_NEUTRAL,
  FAULT_THAT_REACHES_THE_THRESHOLD,
  ZERO_PAGE_FAULT_RESERVES,
  PARENT_WRITES_AFTER_FORK,
  RESERVATION_AFTER_FORK,
  RESERVED_COUNTER_DRIFT,
  ZAP_WHILE_RESERVING,
  PAGE_FROM_ELSEWHERE,
  BOOKKEEPING_LOSES_RESERVATIONS,
  AREA_WITHOUT_A_TABLE,
  MREMAP_OF_RESERVATIONS,
  SWAP_OUT_OF_A_RESERVED_PAGE,
  PROMOTION_AND_PIN,
  TWO_THREADS_RESERVE,
  PIN_THEN_MIGRATE,
  FAULTERS_KEEP_THE_PAGE,
  REFUSED_PAGES_USE_UP_THE_WINDOW,
  RECLAIM_DURING_MIGRATION,
  GENUINE_PROT_NONE,
  HUGE_COPY_WITH_AN_OLD_PMD,
  RESTORING_NEEDS_NO_FLUSH,
  SECOND_FAULT_FOR_A_WRITE,
  PASS_WITH_THE_LOCK_FOR_WRITING,
  WHO_PAYS_FOR_MIGRATION,
  MUTEX_ON_FORK_AND_EXIT,
  TAIL_PUBLISHED_EARLY,
  TWO_NODES_QUEUE_ONE_PAGE,
  REFERENCE_DROPPED_BEFORE_ISOLATION,
  FREED_WHILE_QUEUED,
  BATCH_BOUND,
  PAGES_MIGRATED_THAT_WERE_NOT,
  EXIT_WHILE_SCANNED,
  SCANNER_STOPPED,
  NOTHING_TO_SCAN,
  WEIGHT_WITHOUT_FAULTS,
  UNFLUSHED_MARKS,
  SCANNER_MEETS_A_SPLIT,
  AGING_BY_PASSES,
  ONE_ACCESS_COUNTS_FOR_A_TABLE,
  FILTER_OF_TWO_NODES,
  ...ELSEWHERE,
];
