/** khugepaged's list of address spaces, its cursor and its figures. */
import type { Mm } from "../mm/mm.ts";

export interface KhugepagedState {
  /** Registered address spaces, in order of registration. */
  readonly list: Mm[];
  /** Other programs have been registered since boot, so that the daemon never waits for a first one. */
  othersRegistered: boolean;
  /** Where the scan stands; undefined: at the head of the list. */
  mm: Mm | undefined;
  vpn: number;
  /** khugepaged/pages_collapsed, khugepaged/full_scans. */
  pagesCollapsed: number;
  fullScans: number;
  /** Node of the last huge page asked for; -1 at first. Kernels that take nodes in turn begin behind it. */
  lastTarget: number;
  /** The daemon's path runs or sleeps; else it waits for an address space. */
  running: boolean;
  /** CPU time used. */
  usedNs: number;
  /** Told when there is work and the daemon does not run: the driver then starts `khugepaged(k)`. */
  onWake: (() => void) | undefined;
}

export function makeKhugepaged(): KhugepagedState {
  return {
    list: [],
    othersRegistered: true,
    mm: undefined,
    vpn: 0,
    pagesCollapsed: 0,
    fullScans: 0,
    lastTarget: -1,
    running: false,
    usedNs: 0,
    onWake: undefined,
  };
}
