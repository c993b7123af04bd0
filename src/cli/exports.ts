/** Files that a run writes for people and for other tools: HTML, Perfetto, CSV, Parquet. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { UserError } from "../lib/assert.ts";
import { renderCsv } from "../report/csv.ts";
import { renderHtml } from "../report/page-data.ts";
import { renderPerfetto } from "../report/perfetto.ts";
import { eventRows, type FlatColumn, sampleRows } from "../report/rows.ts";
import type { Column } from "../report/table.ts";
import { demandWritable, demandWritableFolder, isPipeOrDevice, out, reasonOf, writeWhole } from "./host.ts";
import type { CommonOptions } from "./options.ts";
import { pageTemplate } from "./page-template.ts";
import type { About } from "./show.ts";
import { VERSION } from "./version.ts";

type ExportOptions = Pick<CommonOptions, "json" | "html" | "report" | "perfetto" | "csv" | "parquet">;

const PARQUET_FILES = ["events.parquet", "samples.parquet"] as const;

const htmlOf = (options: ExportOptions): string | undefined => options.html ?? options.report;

/** What is written shows single steps: such runs are recorded. */
export function wantsRecording(options: ExportOptions): boolean {
  return [htmlOf(options), options.perfetto, options.parquet].some((path) => path !== undefined);
}

/** The options that write files and were given. */
export function exportsOf(options: ExportOptions): string[] {
  const names = ["html", "report", "perfetto", "csv", "parquet"] as const;
  return names.filter((name) => options[name] !== undefined).map((name) => `--${name}`);
}

/** Throws for one file that is to hold two things; a device takes both. */
function demandApart(options: ExportOptions): void {
  if (options.html !== undefined && options.report !== undefined)
    throw new UserError("says the same as --html: give one", { file: "--report" });
  const { parquet } = options;
  const files: [option: string, path: string | undefined][] = [
    ["--html", htmlOf(options)],
    ["--perfetto", options.perfetto],
    ["--csv", options.csv],
    ...PARQUET_FILES.map((name): [string, string | undefined] => [
      "--parquet",
      parquet === undefined ? undefined : join(parquet, name),
    ]),
  ];
  const seen = new Map<string, string>();
  for (const [option, path] of files) {
    if (path === undefined || isPipeOrDevice(path)) continue;
    const before = seen.get(resolve(path));
    if (before !== undefined)
      throw new UserError(`expected a file of its own, found that of ${before}: ${path}`, { file: option });
    seen.set(resolve(path), option);
  }
}

/** Throws, before a long run, for files that could not be written after it. */
export function demandPlaces(options: ExportOptions): void {
  for (const key of ["html", "report", "perfetto", "csv"] as const) {
    const path = options[key];
    if (path !== undefined) demandWritable(path, `--${key}`);
  }
  if (options.parquet !== undefined) demandWritableFolder(options.parquet, "--parquet");
  demandApart(options);
}

/** Writes what was asked for, and says where it is. */
export async function writeExports(
  columns: readonly Column[],
  options: ExportOptions,
  about: About,
): Promise<void> {
  const html = htmlOf(options);
  const said: string[] = [];
  if (html !== undefined) {
    const data = {
      columns,
      version: VERSION,
      command: about.command,
      measurements: about.measurements ?? [],
    };
    const pack64 = (bytes: Uint8Array): string => gzipSync(bytes, { level: 9 }).toString("base64");
    writeWhole(html, renderHtml(pageTemplate(), data, pack64));
    said.push(`Report: ${html}`);
  }
  if (options.perfetto !== undefined) {
    writeWhole(options.perfetto, renderPerfetto(columns));
    said.push(`Perfetto trace: ${options.perfetto} (open it at ui.perfetto.dev)`);
  }
  if (options.csv !== undefined) {
    writeWhole(options.csv, renderCsv(columns));
    said.push(`Table: ${options.csv}`);
  }
  if (options.parquet !== undefined) {
    await writeParquet(columns, options.parquet);
    said.push(`Tables: ${join(options.parquet, "events.parquet")}, samples.parquet`);
  }
  if (options.json !== true && said.length > 0) out("\n" + said.map((line) => line + "\n").join(""));
}

async function writeParquet(columns: readonly Column[], folder: string): Promise<void> {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new UserError(`cannot be made a folder: ${reasonOf(error)}`, { file: folder });
  }
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const write = (name: (typeof PARQUET_FILES)[number], table: readonly FlatColumn[]): void => {
    const columnData = table.map(({ name, type, data }) => ({ name, type, data: [...data] }));
    writeWhole(join(folder, name), new Uint8Array(parquetWriteBuffer({ columnData })));
  };
  write("events.parquet", eventRows(columns));
  write("samples.parquet", sampleRows(columns));
}
