/** `pagewise export --text`: a stored trace as readable text. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { Command } from "commander";
import { UserError } from "../lib/assert.ts";
import { traceAsText } from "../workloads/trace/text.ts";
import { EXIT, whenCalled } from "./command.ts";
import { beginFile, demandFile, out } from "./host.ts";
import { openStored } from "./stored.ts";

interface ExportOptions {
  readonly text?: true;
  readonly output?: string;
}

/** Text is gathered to this length before it is written. */
const WRITE_CHARS = 1 << 16;

export function registerExport(program: Command): void {
  const command = program
    .command("export")
    .summary("print a stored trace as text")
    .description("Print a stored trace as text, one line an item, as docs/trace-format.md defines it.")
    .argument("<trace>", "a stored trace (.pwt)")
    .option("--text", "readable text (the only form so far)")
    .option("-o, --output <file>", "where to write it (standard output)")
    .addHelpText("after", "\nExample:\n  $ pagewise export --text examples/redis.pwt | grep ' map '");
  whenCalled(command, (file: string, options: ExportOptions) => {
    if (options.text !== true) throw new UserError("say in which form: --text");
    demandFile(file);
    if (options.output === undefined) writeText(file, out);
    else writeFile(file, options.output);
    return EXIT.ok;
  });
}

function writeText(file: string, write: (text: string) => void): void {
  let gathered = "";
  traceAsText(openStored(file), (text) => {
    gathered += text;
    if (gathered.length < WRITE_CHARS) return;
    write(gathered);
    gathered = "";
  });
  write(gathered);
}

function writeFile(file: string, path: string): void {
  const target = beginFile(path);
  try {
    const descriptor = openSync(target.temporary, "w");
    try {
      writeText(file, (text) => writeSync(descriptor, text));
    } finally {
      closeSync(descriptor);
    }
    target.keep();
  } catch (error) {
    target.drop();
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof UserError || code === undefined) throw error;
    throw new UserError(`cannot be written: ${message}`, { file: path });
  }
}
