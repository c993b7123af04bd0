/** State of transparent huge pages: the huge zero page, the deferred split queues. */
import type { MachineSpec } from "../machine.ts";

export interface ThpState {
  /** The huge zero page exists (it is allocated at its first use). */
  hugeZeroAllocated: boolean;
  /** Address spaces that hold it. */
  hugeZeroUsers: number;
  /** Deferred split queue of each node: first and last block (-1: empty) and length in huge pages. */
  readonly deferredFirst: Int32Array;
  readonly deferredLast: Int32Array;
  readonly deferredLength: Int32Array;
}

export function makeThp(machine: MachineSpec): ThpState {
  return {
    hugeZeroAllocated: false,
    hugeZeroUsers: 0,
    deferredFirst: new Int32Array(machine.nodes).fill(-1),
    deferredLast: new Int32Array(machine.nodes).fill(-1),
    deferredLength: new Int32Array(machine.nodes),
  };
}
