/** What page and worker say to each other. A run is cancelled by ending the worker: it is one long call. */
import type { Column } from "../report/table.ts";

/** What to simulate. */
export interface RunPlan {
  /** Names of kernels. */
  readonly generations: readonly string[];
  /** As `--settings` of the command line takes them; empty: the kernel's defaults. */
  readonly settings: string;
  readonly hardware: string;
}

export interface RunRequest {
  readonly kind: "run";
  readonly file: File;
  readonly plan: RunPlan;
}

export type FromWorker =
  | {
      readonly kind: "progress";
      readonly text: string;
      /** 0 to 1; undefined while nobody knows. */
      readonly share: number | undefined;
    }
  | { readonly kind: "result"; readonly columns: readonly Column[]; readonly warnings: readonly string[] }
  /** `ours`: a mistake of Pagewise, not of the person. */
  | { readonly kind: "failed"; readonly message: string; readonly ours: boolean };
