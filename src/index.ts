/**
 * The library: what a program may import from "pagewise". The command line is made of the same parts.
 *
 * Pure and typed: nothing here reads files, clocks or the environment. Bytes come in as typed arrays, results
 * go out as plain data, and the same input gives the same result on every machine, in Node, a worker or
 * a browser.
 */

// Machines, knobs and counters, under their real names.
export { COUNTER_NAMES, type CounterName } from "./core/counters.ts";
// Results, and the stream of events that they are made from.
export { EVENT, type EventCode, FAULT_KINDS, type FaultKind, type KernelListener } from "./core/events.ts";
export { type Geometry, geometryOf, LIFE, SMALL } from "./core/geometry.ts";
export type { ChoiceKnob, KnobRefusal, KnobSpec, Knobs, NumberKnob } from "./core/knobs.ts";
export { evenDistances, type MachineSpec } from "./kernel/machine.ts";
// What the user did wrong, with its place.
export { describeUserError, type Place, UserError } from "./lib/assert.ts";
export type { Distribution, MemorySeries, ProcessResult, Result, TlbResult } from "./metrics/result.ts";
export {
  isBatch,
  makeRefBatch,
  REF,
  type RefBatch,
  type TraceEvent,
  type TraceHeader,
  type TraceReader,
  type TraceThread,
} from "./workloads/records.ts";
// Workloads: scripts, and traces as records.
export type { Expectation, Script, ScriptMachine, Statement } from "./workloads/script/ast.ts";
export { parseScript } from "./workloads/script/parse.ts";
export { printScript } from "./workloads/script/print.ts";
