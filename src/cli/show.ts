/** Shows columns as the options ask: JSON or text on standard output, and an HTML file. */
import { renderJson } from "../report/json.ts";
import type { Column } from "../report/table.ts";
import { renderText } from "../report/text.ts";
import type { Measurement } from "../report/trust.ts";
import { out, painterOf, widthChars } from "./host.ts";
import type { CommonOptions } from "./options.ts";
import { VERSION } from "./version.ts";

type ShowOptions = Pick<CommonOptions, "json" | "raw" | "counters">;

/** A word of a command line, quoted if a shell would cut or change it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `"${word.replace(/["\\$`]/g, "\\$&")}"`;
}

let called: readonly string[] = [];

/** Keeps the arguments for reports: a report names the command that makes it again. */
export function rememberArguments(args: readonly string[]): void {
  called = args;
}

/** The command that was called, as a person would write it. */
export function commandLine(): string {
  return ["npx pagewise", ...called.map(quoted)].join(" ");
}

/** What a report says beside the columns. */
export interface About {
  readonly command: string;
  readonly measurements?: readonly Measurement[];
}

/** Prints the columns. */
export function show(
  columns: readonly Column[],
  options: ShowOptions,
  measurements: readonly Measurement[] = [],
): void {
  if (options.json === true) {
    out(renderJson(columns));
    return;
  }
  const text = renderText(columns, {
    version: VERSION,
    mode: options.raw === true ? "raw" : "human",
    counters: options.counters === true,
    widthChars: widthChars(),
    painter: painterOf(),
    measurements,
  });
  out(text);
}
