/** The only list of scenarios: from it come `pagewise check`, its table and the tests. */
import type { Scenario } from "../scenario.ts";
import { PIN_THEN_MIGRATE } from "./pin-then-migrate.ts";
import { STALE_WRITE_BEFORE_FLUSH } from "./stale-write-before-flush.ts";
import { TWO_THREADS_ONE_HUGE_PAGE } from "./two-threads-one-huge-page.ts";
import { TWO_THREADS_ONE_PAGE } from "./two-threads-one-page.ts";
import { ZAP_DURING_MIGRATION } from "./zap-during-migration.ts";

export const SCENARIOS: readonly Scenario[] = [
  TWO_THREADS_ONE_PAGE,
  TWO_THREADS_ONE_HUGE_PAGE,
  STALE_WRITE_BEFORE_FLUSH,
  ZAP_DURING_MIGRATION,
  PIN_THEN_MIGRATE,
];
