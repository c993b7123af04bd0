/** `pagewise import`: texts of other tools into stored traces. */
import { closeSync, openSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { type Command, Option } from "commander";
import type { PlacementAlignment } from "../core/placement.ts";
import { UserError } from "../lib/assert.ts";
import {
  DETECT_BYTES,
  detectFormat,
  IMPORT_FORMATS,
  type ImportFormat,
  makeImporter,
  unknownFormat,
} from "../workloads/import/detect.ts";
import type { ImportSummary } from "../workloads/import/importer.ts";
import type { TraceHeader } from "../workloads/records.ts";
import { needsRelayout, relayout } from "../workloads/relayout/relayout.ts";
import { copyTrace } from "../workloads/trace/copy.ts";
import type { CodecName, TraceTotals } from "../workloads/trace/format.ts";
import { openTrace } from "../workloads/trace/reader.ts";
import type { TraceSink } from "../workloads/trace/sink.ts";
import { makeMemoryWriter, makeTraceWriter, type WriterOptions } from "../workloads/trace/writer.ts";
import { EXIT, whenCalled } from "./command.ts";
import { beginFile, demandFile, err, out, reasonOf } from "./host.ts";
import { COMPRESSORS, DECOMPRESSORS, type Input, MEMORY_PACKING, openInput, STDIN_NAME } from "./input.ts";
import { isStored, openStored } from "./stored.ts";

interface ImportOptions {
  readonly output?: string;
  readonly format?: ImportFormat;
  readonly layout: "native" | "relaid";
  readonly align: PlacementAlignment;
  readonly codec: CodecName;
  readonly program?: string;
  readonly recordedUnder?: string;
  readonly json?: true;
}

interface Imported {
  readonly input: string;
  readonly output: string;
  readonly summary: ImportSummary;
  readonly totals: TraceTotals;
  readonly bytes: number;
}

export function registerImport(program: Command): void {
  const longest = Math.max(...Object.keys(IMPORT_FORMATS).map((name) => name.length));
  const formats = Object.entries(IMPORT_FORMATS).map(([name, what]) => `  ${name.padEnd(longest)}  ${what}`);
  const command = program
    .command("import")
    .summary("turn a recording into a stored trace")
    .description("Turn the text of perf script or valgrind, plain, gzip or zstd, into a stored trace (.pwt).")
    .argument("<file...>", "texts to import; - is standard input")
    .option("-o, --output <file>", "where to store it (the input's name with .pwt)")
    .addOption(
      new Option("--format <name>", "what the text is (told by its first lines)").choices(
        Object.keys(IMPORT_FORMATS),
      ),
    )
    .addOption(
      new Option("--layout <how>", "keep the addresses, or place mappings as Linux would")
        .choices(["native", "relaid"])
        .default("native"),
    )
    .addOption(
      new Option("--align <rule>", "with --layout relaid: how the kernel aligns large mappings")
        .choices(["page", "huge-if-large", "huge-if-multiple"])
        .default("huge-if-multiple"),
    )
    .addOption(
      new Option("--codec <name>", "compression inside").choices(["zstd", "gzip", "none"]).default("zstd"),
    )
    .option("--program <name>", "what was recorded, for people")
    .option("--recorded-under <mode>", "THP mode of the recording, for people: never, madvise, always")
    .option("--json", "print JSON")
    .addHelpText("after", `\nFormats:\n${formats.join("\n")}\n\nExamples:`)
    .addHelpText("after", "  $ perf script -i server.data | pagewise import - -o server.pwt")
    .addHelpText("after", "  $ pagewise import lackey.txt.zst --layout relaid")
    .addHelpText(
      "after",
      "  $ pagewise import app.pwt.4711.part -o app.pwt     # left by a recorder that was killed",
    );
  whenCalled(command, async (files: readonly string[], options: ImportOptions) => {
    if (options.output !== undefined && files.length > 1) {
      throw new UserError(`${files.length} files cannot go to one place: leave --output out`, {
        file: "--output",
      });
    }
    let code: number = EXIT.ok;
    for (const file of files) code = Math.max(code, await importOne(file, options));
    return code;
  });
}

async function importOne(file: string, options: ImportOptions): Promise<number> {
  if (file !== STDIN_NAME) demandFile(file);
  if (file !== STDIN_NAME && isStored(file)) return saveStored(file, options);
  const input = await openInput(file, DETECT_BYTES);
  const output = options.output ?? defaultOutput(file);
  try {
    const imported = await store(input, output, options);
    const cut = imported.summary.cutOff ?? input.cutOff();
    report(imported, options, cut);
    return cut === undefined && imported.summary.unreadableLines === 0 ? EXIT.ok : EXIT.broken;
  } catch (error) {
    if (!(error instanceof UserError) || error.place.file !== undefined) throw error;
    throw new UserError(error.message, { ...error.place, file: input.name });
  }
}

function defaultOutput(file: string): string {
  if (file === STDIN_NAME) throw new UserError("standard input has no name: say --output FILE");
  return file.replace(/\.(zst|gz)$/, "").replace(/\.(txt|pwf|log|perf)$/, "") + ".pwt";
}

const ALREADY = "this is a stored trace already";

/** Makes a whole trace of what a recorder that was killed has left. */
async function saveStored(file: string, { output, codec }: ImportOptions): Promise<number> {
  if (output === undefined) throw new UserError(`${ALREADY}; if it is cut off, say --output FILE`, { file });
  const { made, bytes } = await writeTrace(output, codec, (target) => {
    const reader = openStored(file, undefined, { salvage: true });
    const writer = makeTraceWriter(target);
    copyTrace(reader, writer);
    if (reader.cutOff === undefined) throw new UserError(`${ALREADY}, and whole`, { file });
    return { totals: writer.end(), cutOff: reader.cutOff };
  });
  const { totals, cutOff } = made;
  err(`pagewise: warning: ${file} is ${cutOff}; imported up to there\n`);
  out(`${basename(output)}: ${totals.records} records, ${totals.events} events, ${bytes} bytes, `);
  out(`hash ${totals.hash}\n`);
  return EXIT.broken;
}

async function store(input: Input, output: string, options: ImportOptions): Promise<Imported> {
  const format = options.format ?? detectFormat(input.head);
  if (format === undefined) throw unknownFormat(input.head, input.name);
  if (format === "pwt") throw new UserError(ALREADY, { file: input.name });
  const { made, bytes } = await writeTrace(output, options.codec, (target) =>
    convert(input, format, target, options),
  );
  return { input: input.name, output, ...made, bytes };
}

/** Writes a file that appears only when all has gone well. */
async function writeTrace<T>(
  output: string,
  codec: CodecName,
  make: (target: WriterOptions) => T | Promise<T>,
): Promise<{ readonly made: T; readonly bytes: number }> {
  const file = beginFile(output);
  try {
    const descriptor = openSync(file.temporary, "w");
    let bytes = 0;
    const write = (piece: Uint8Array): void => {
      for (let at = 0; at < piece.length; ) at += writeSync(descriptor, piece, at);
      bytes += piece.length;
    };
    const packing = codec === "none" ? { codec } : { codec, compress: COMPRESSORS[codec] };
    try {
      const made = await make({ write, ...packing });
      closeSync(descriptor);
      file.keep();
      return { made, bytes };
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  } catch (error) {
    file.drop();
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof UserError || code === undefined) throw error;
    throw new UserError(`cannot be written: ${reasonOf(error)}`, { file: output });
  }
}

async function convert(
  input: Input,
  format: ImportFormat,
  target: WriterOptions,
  options: ImportOptions,
): Promise<{ readonly summary: ImportSummary; readonly totals: TraceTotals }> {
  const writer = makeTraceWriter(target);
  if (options.layout === "native") {
    const summary = await run(input, format, writer, options);
    return { summary, totals: writer.end() };
  }
  // Placing anew reads a finished trace: it is kept in memory, compressed, until then.
  const whole = makeMemoryWriter(MEMORY_PACKING);
  const summary = await run(input, format, whole, options);
  whole.end();
  copyTrace(relayout(openTrace(whole.bytes(), DECOMPRESSORS), { alignment: options.align }), writer);
  return { summary, totals: writer.end() };
}

async function run(
  input: Input,
  format: ImportFormat,
  target: TraceSink,
  options: ImportOptions,
): Promise<ImportSummary> {
  // What the user says of the whole stands, whatever the importer concludes.
  const said = {
    ...(options.program === undefined ? {} : { program: options.program }),
    ...(options.recordedUnder === undefined ? {} : { recordedUnder: options.recordedUnder }),
  };
  const sink = {
    ...target,
    describe: (header: Partial<TraceHeader>) => target.describe({ ...header, ...said }),
  };
  const importer = makeImporter(format, sink);
  for await (const piece of input.pieces) importer.push(piece);
  return importer.end();
}

function report(imported: Imported, options: ImportOptions, cut: string | undefined): void {
  const { input, output, summary, totals, bytes } = imported;
  for (const { line, byteOffset, found, expected } of summary.unreadable) {
    err(`pagewise: ${input}:${line}: byte ${byteOffset}: expected ${expected}, found "${found}"\n`);
  }
  if (summary.unreadableLines > summary.unreadable.length) {
    err(`pagewise: ${input}: ${summary.unreadableLines} lines could not be read\n`);
  }
  if (cut !== undefined) err(`pagewise: warning: ${input} is cut off: ${cut}; imported up to there\n`);
  if (options.json === true) {
    out(JSON.stringify({ input, output, bytes, cut_off: cut ?? null, ...summary, totals }) + "\n");
    return;
  }
  const ignored = Object.entries(summary.ignored).map(([what, lines]) => `${lines} of ${what}`);
  const { records, events, format, lines: read, notes } = summary;
  const left = ignored.length > 0 ? `, ignored ${ignored.join(", ")}` : "";
  const lines = [
    `${basename(output)}: ${records} records, ${events} events, ${bytes} bytes, hash ${totals.hash}`,
    `  ${format}: ${read} lines read${left}`,
    ...notes.map((note) => `  ${note}`),
  ];
  const isValgrind = needsRelayout({ source: summary.format, layout: options.layout });
  if (isValgrind)
    lines.push("  addresses are valgrind's: mappings are placed as Linux would when the trace is replayed");
  out(lines.join("\n") + "\n");
}
