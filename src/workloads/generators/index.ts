/** The named workloads; the only list of them. */
import { arenas } from "./arenas.ts";
import { forkSparse } from "./fork-sparse.ts";
import { gups } from "./gups.ts";
import { kv } from "./kv.ts";
import { thpMover } from "./mover.ts";
import { numa01, numa01ThreadLocal } from "./numa01.ts";
import { numa02, numa02Smt } from "./numa02.ts";
import { stream } from "./stream.ts";
import { type NamedWorkload, parseWorkload, type WorkloadSpec } from "./workload.ts";

export const WORKLOADS: readonly WorkloadSpec[] = [
  numa01,
  numa01ThreadLocal,
  numa02,
  numa02Smt,
  stream,
  gups,
  kv,
  thpMover,
  forkSparse,
  arenas,
];

/**
 * The workload that `NAME[,param=value…]` names. Throws `UserError` for a name, parameter or value that does
 * not exist.
 */
export function workloadByName(text: string, place?: string): NamedWorkload {
  return parseWorkload(text, WORKLOADS, place);
}
