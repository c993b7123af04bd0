/** Chooses the best source that works here, and says why the better ones do not. */
import { UserError } from "../lib/assert.ts";
import { perfSource } from "./perf-source.ts";
import type { Source, SourceName, Subject } from "./source.ts";
import { straceSource } from "./strace-source.ts";
import { lackeySource, valgrindSource } from "./valgrind-source.ts";

/** The best first. */
export const SOURCES: readonly Source[] = [perfSource, valgrindSource, lackeySource, straceSource];

export interface Choice {
  readonly source: Source;
  /** Why the sources before it do not work here. */
  readonly passedOver: readonly string[];
}

/** The source that was asked for, or the best one. Throws `UserError` when it does not work, or none does. */
export function chooseSource(asked: SourceName | undefined, subject: Subject): Choice {
  if (asked !== undefined) {
    const source = SOURCES.find(({ name }) => name === asked)!;
    const why = source.missing(subject);
    if (why !== undefined) throw new UserError(why, { file: `--source ${asked}` });
    return { source, passedOver: [] };
  }
  const passedOver: string[] = [];
  for (const source of SOURCES) {
    const why = source.missing(subject);
    if (why === undefined) return { source, passedOver };
    passedOver.push(`${source.name}: ${why}`);
  }
  throw new UserError(`nothing here can record a program\n  ${passedOver.join("\n  ")}`);
}
