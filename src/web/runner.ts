/** Starts, follows and cancels a run in a worker. */
import { signal } from "@preact/signals";
import type { Measurement } from "../report/trust.ts";
import type { FromWorker, RunPlan } from "./protocol.ts";
import { announcement, show } from "./state.ts";
import { VERSION } from "./version.ts";
import EngineWorker from "./worker.ts?worker&inline";

export interface Running {
  readonly name: string;
  readonly text: string;
  readonly share: number | undefined;
  readonly sinceMs: number;
}

export const running = signal<Running | undefined>(undefined);
/** What went wrong last, for people; undefined when nothing did. */
export const failure = signal<string | undefined>(undefined);
export const warnings = signal<readonly string[]>([]);

let worker: Worker | undefined;

const NO_MEASUREMENTS: readonly Measurement[] = [];

export function fail(message: string): void {
  failure.value = message;
  announcement.value = message;
}

/** Ends the run, if there is one. */
export function cancel(): void {
  worker?.terminate();
  worker = undefined;
  if (running.value !== undefined) announcement.value = "The run was cancelled.";
  running.value = undefined;
}

/** Simulates a file; the page shows the result when it is there. */
export function run(file: File, plan: RunPlan): void {
  cancel();
  failure.value = undefined;
  running.value = { name: file.name, text: "starting", share: undefined, sinceMs: performance.now() };
  worker = new EngineWorker();
  worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => take(data));
  worker.addEventListener("error", (event) => {
    take({ kind: "failed", message: event.message || "the worker died, perhaps out of memory", ours: true });
  });
  worker.postMessage({ kind: "run", file, plan });
}

function take(message: FromWorker): void {
  switch (message.kind) {
    case "progress":
      if (running.value !== undefined) running.value = { ...running.value, ...message };
      return;
    case "failed":
      cancel();
      fail(message.ours ? `Pagewise itself failed: ${message.message}` : message.message);
      return;
    case "result":
      worker?.terminate();
      worker = undefined;
      running.value = undefined;
      warnings.value = message.warnings;
      show({ columns: message.columns, version: VERSION, command: "", measurements: NO_MEASUREMENTS });
      announcement.value = "The run is over: the comparison is shown.";
  }
}
