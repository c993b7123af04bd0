/**
 * The library: what a program may import from "pagewise". The command line is made of the same parts.
 *
 * Pure and typed: nothing here reads files, clocks or the environment. Bytes come in as typed arrays, results
 * go out as plain data, and the same input gives the same result on every machine, in Node, a worker or
 * a browser.
 */

// Machines, knobs and counters, under their real names.
export { COUNTER_NAMES, type CounterName } from "./core/counters.ts";
export { FAULT_KINDS, type FaultKind } from "./core/events.ts";
export { type Geometry, geometryOf, LIFE, SMALL } from "./core/geometry.ts";
export { type ChoiceKnob, type KnobSpec, knobRange, type NumberKnob } from "./core/knobs.ts";
// One run: `simulate` takes names and sizes, the other two every part ready-made.
export { checkSetting, parseSettingsList, type Setting, type SettingsColumn } from "./engine/settings.ts";
export { type ScriptLine, type ScriptOutcome, simulateScript, simulateTrace } from "./engine/simulate.ts";
export {
  DEFAULT_MACHINE,
  type MachineChoice,
  machineSpec,
  type Simulated,
  type SimulateOptions,
  simulate,
  type Workload,
} from "./engine/simulation.ts";
// Kernels and hardware.
export type { Generation } from "./generations/generation.ts";
export { GENERATIONS, generationByName } from "./generations/index.ts";
export { HARDWARE, hardwareByName } from "./hardware/index.ts";
export { hardwareFromToml } from "./hardware/read-toml.ts";
export type { HardwareSpec } from "./hardware/spec.ts";
export { evenDistances, type MachineSpec } from "./kernel/machine.ts";
// What the user did wrong, with its place.
export { describeUserError, type Place, UserError } from "./lib/assert.ts";
// A run step by step, if `record` was asked for.
export {
  type EventColumns,
  type MapArea,
  type MapRegion,
  MEMORY_KINDS,
  PAGE,
  type PageMap,
  type Recording,
  type RecordLimits,
  type Samples,
  type WalkStep,
} from "./metrics/recording.ts";
export type {
  Distribution,
  LockResult,
  MemorySeries,
  ProcessResult,
  Result,
  TlbResult,
} from "./metrics/result.ts";
// Reports: columns in, text, JSON or one HTML page out.
export { answerOf } from "./report/answer.ts";
export { renderCsv } from "./report/csv.ts";
export { jsonColumn, readResults, renderJson } from "./report/json.ts";
export { type Packed, pack, unpack } from "./report/pack.ts";
export { decodePage, encodePage, type PageData, renderHtml } from "./report/page-data.ts";
export { renderPerfetto } from "./report/perfetto.ts";
export { eventRows, type FlatColumn, sampleRows } from "./report/rows.ts";
export { type Column, counterRows, type RowGroup, tableOf } from "./report/table.ts";
export { type Painter, PLAIN, renderText, type TextOptions } from "./report/text.ts";
export type { Measurement } from "./report/trust.ts";
// Named workloads: programs that come along.
export { WORKLOADS, workloadByName } from "./workloads/generators/index.ts";
export {
  type NamedWorkload,
  type ParamSpec,
  paramRange,
  type WorkloadSpec,
} from "./workloads/generators/workload.ts";
// Traces: text in, the store, records out.
export {
  detectFormat,
  type ImportFormat,
  makeImporter,
  type TraceFormat,
} from "./workloads/import/detect.ts";
export type { Importer, ImportSummary } from "./workloads/import/importer.ts";
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
export { needsRelayout, type RelayoutRules, relayout } from "./workloads/relayout/relayout.ts";
// Scripts.
export type { Expectation, Script, ScriptMachine, Statement } from "./workloads/script/ast.ts";
export { brokenExpectations, describeBroken } from "./workloads/script/expectations.ts";
export { parseScript } from "./workloads/script/parse.ts";
export { printScript } from "./workloads/script/print.ts";
export {
  type ByteSource,
  type Decompressors,
  openTrace,
  type StoreReader,
} from "./workloads/trace/reader.ts";
export {
  makeMemoryWriter,
  makeTraceWriter,
  type TraceWriter,
  type WriterOptions,
} from "./workloads/trace/writer.ts";
