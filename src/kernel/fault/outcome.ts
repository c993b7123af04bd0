/** What a fault came to: a kind of `FAULT_KINDS`, or a word for what the program gets instead. */
import type { FaultKind } from "../../core/events.ts";

export type FaultOutcome =
  | FaultKind
  /**
   * No area, or the access is not allowed (SIGSEGV), or behind the end of shared memory (SIGBUS): EFAULT for
   * the kernel's own accesses.
   */
  | "segv"
  /** No memory, even after reclaim. */
  | "oom"
  /** A huge page could not be had: the caller goes on with base pages. */
  | "fallback"
  /** The entry changed meanwhile: the access is tried again and may fault again. */
  | "retry";
