/**
 * Reads a hardware description from TOML, for `--hardware FILE.toml`. A file may name a `base`, whose TLBs
 * and figures it takes over where it gives none:
 *
 *     name = "my-server"
 *     base = "zen4"
 *
 *     [tlb]
 *     l1Small = { entries = 64, ways = 4 }
 *     l1Huge = "shared"
 *
 *     [figures]
 *     faultNs = 480
 *     zeroHugeBytesPerNs = { value = 9.5, source = "measured with our own benchmark" }
 */
import { parse, TomlError } from "smol-toml";
import type { LevelSpec } from "../kernel/tlb/level.ts";
import type { TlbSpec, WalkCacheSpec } from "../kernel/tlb/tlb.ts";
import { UserError } from "../lib/assert.ts";
import { didYouMean } from "../lib/suggest.ts";
import { FIGURE_NAMES, FIGURES, type FigureName } from "./figures.ts";
import { HARDWARE, hardwareByName } from "./index.ts";
import { type HardwareSpec, makeHardware, type SourcedFigure } from "./spec.ts";

type TomlTable = Record<string, unknown>;

/** What a refusal needs to say where it is. */
interface Reading {
  readonly file: string;
  readonly lines: readonly string[];
}

/** The description in `text`; `file` is its name for messages. Throws `UserError`. */
export function hardwareFromToml(text: string, file: string): HardwareSpec {
  const reading: Reading = { file, lines: text.split("\n") };
  const top = parseToml(text, file);
  onlyKeys(reading, "", top, ["name", "summary", "base", "tlb", "figures"]);
  const base = readBase(reading, top.base);
  const name = readText(reading, "name", top.name, base.name);
  return makeHardware(
    {
      name,
      summary: readText(reading, "summary", top.summary, `described by ${file}`),
      tlb: top.tlb === undefined ? base.tlb : readTlb(reading, asTable(reading, "tlb", top.tlb), base.tlb),
      tlbSource: top.tlb === undefined ? base.tlbSource : `given in ${file}; the rest: ${base.tlbSource}`,
      figures:
        top.figures === undefined ? {} : readFigures(reading, asTable(reading, "figures", top.figures)),
    },
    base.figures,
  );
}

function parseToml(text: string, file: string): TomlTable {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const message = error.message.split("\n")[0]!;
    throw new UserError(message, { file, line: error.line, column: error.column });
  }
}

function refuse(reading: Reading, path: string, found: unknown, expected: string): never {
  const shown = found === undefined ? "nothing" : JSON.stringify(found);
  throw new UserError(`${path}: found ${shown}, expected ${expected}`, placeOf(reading, path));
}

/**
 * The line that a key stands in: the first that begins with its last part, behind the header of its table.
 */
function placeOf(reading: Reading, path: string): { file: string; line?: number } {
  const parts = path.split(".");
  const key = parts.at(-1)!;
  const table = parts.slice(0, -1).join(".");
  let from = 0;
  if (table !== "")
    from = Math.max(
      0,
      reading.lines.findIndex((line) => line.trim().startsWith(`[${table}`)),
    );
  const starts = (line: string) => line.trim().startsWith(key) || line.trim().startsWith(`"${key}`);
  const at = reading.lines.findIndex((line, i) => i >= from && (starts(line) || line.includes(`${key} =`)));
  return at < 0 ? { file: reading.file } : { file: reading.file, line: at + 1 };
}

function onlyKeys(reading: Reading, path: string, table: TomlTable, known: readonly string[]): void {
  for (const key of Object.keys(table)) {
    if (known.includes(key)) continue;
    const whole = path === "" ? key : `${path}.${key}`;
    const hint = didYouMean(key, known) || `; known are ${known.join(", ")}`;
    throw new UserError(`unknown key ${whole}${hint}`, placeOf(reading, whole));
  }
}

function asTable(reading: Reading, path: string, value: unknown): TomlTable {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    refuse(reading, path, value, "a table");
  return value as TomlTable;
}

function readText(reading: Reading, path: string, value: unknown, fallback: string): string {
  if (value === undefined) return fallback;
  if (typeof value !== "string" || value === "") refuse(reading, path, value, "a text in quotes");
  return value;
}

function readBase(reading: Reading, value: unknown): HardwareSpec {
  const names = HARDWARE.map((hardware) => hardware.name);
  if (value === undefined) return HARDWARE[0]!;
  const base = typeof value === "string" ? hardwareByName(value) : undefined;
  if (base !== undefined) return base;
  const hint = typeof value === "string" ? didYouMean(value, names) : "";
  return refuse(reading, "base", value, `one of ${names.join(", ")}${hint}`);
}

function readFigures(reading: Reading, table: TomlTable): Partial<Record<FigureName, SourcedFigure>> {
  onlyKeys(reading, "figures", table, FIGURE_NAMES);
  const figures: Partial<Record<FigureName, SourcedFigure>> = {};
  for (const [key, given] of Object.entries(table)) {
    const path = `figures.${key}`;
    const spec = FIGURES[key as FigureName];
    const whole = typeof given === "number" ? { value: given } : asTable(reading, path, given);
    onlyKeys(reading, path, whole, ["value", "source"]);
    const { value } = whole as { value: unknown };
    const inRange = typeof value === "number" && value >= spec.min && value <= spec.max;
    if (!inRange)
      refuse(reading, path, value, `a number ${spec.min}..${spec.max} (${spec.unit}): ${spec.doc}`);
    const source = readText(
      reading,
      `${path}.source`,
      (whole as TomlTable).source,
      `given in ${reading.file}`,
    );
    figures[key as FigureName] = { value, source };
  }
  return figures;
}

function readTlb(reading: Reading, table: TomlTable, base: TlbSpec): TlbSpec {
  onlyKeys(reading, "tlb", table, ["l1Small", "l1Huge", "l2", "walkCaches"]);
  const caches = table.walkCaches;
  const l1Huge = table.l1Huge;
  return {
    l1Small:
      table.l1Small === undefined ? base.l1Small : readLevel(reading, "tlb.l1Small", table.l1Small, 254),
    l1Huge:
      l1Huge === undefined
        ? base.l1Huge
        : l1Huge === "shared"
          ? "shared"
          : readLevel(reading, "tlb.l1Huge", l1Huge, 254),
    l2: table.l2 === undefined ? base.l2 : readSecond(reading, table.l2),
    walkCaches:
      caches === undefined ? base.walkCaches : caches === "none" ? "none" : readCaches(reading, caches),
  };
}

function readSecond(reading: Reading, value: unknown): TlbSpec["l2"] {
  const level = readLevel(reading, "tlb.l2", value, 16, ["hugeWays"]);
  const hugeWays = (value as TomlTable).hugeWays ?? level.ways;
  const fits = Number.isInteger(hugeWays) && (hugeWays as number) >= 0 && (hugeWays as number) <= level.ways;
  if (!fits) refuse(reading, "tlb.l2.hugeWays", hugeWays, `a whole number 0..${level.ways}`);
  return { ...level, hugeWays: hugeWays as number };
}

function readCaches(reading: Reading, value: unknown): WalkCacheSpec {
  const table = asTable(reading, "tlb.walkCaches", value);
  onlyKeys(reading, "tlb.walkCaches", table, ["pde", "pdpte", "pml4e"]);
  const one = (key: string) => readLevel(reading, `tlb.walkCaches.${key}`, table[key], 16);
  return { pde: one("pde"), pdpte: one("pdpte"), pml4e: one("pml4e") };
}

/** Entries and ways that make a power of two of sets; more than 16 ways only as a single set. */
function readLevel(
  reading: Reading,
  path: string,
  value: unknown,
  waysMax: number,
  more: readonly string[] = [],
): LevelSpec {
  const table = asTable(reading, path, value);
  onlyKeys(reading, path, table, ["entries", "ways", ...more]);
  const { entries, ways } = table as { entries: unknown; ways: unknown };
  const whole = (n: unknown): n is number =>
    typeof n === "number" && Number.isInteger(n) && n > 0 && n <= 65_536;
  if (!whole(entries)) refuse(reading, `${path}.entries`, entries, "a whole number 1..65536");
  if (!whole(ways) || ways > waysMax) refuse(reading, `${path}.ways`, ways, `a whole number 1..${waysMax}`);
  const sets = entries / ways;
  if (!Number.isInteger(sets) || (sets & (sets - 1)) !== 0) {
    refuse(reading, path, { entries, ways }, "entries that make 1, 2, 4, 8 … sets of that many ways");
  }
  if (ways > 16 ? sets !== 1 : ways % 4 !== 0) {
    refuse(reading, path, { entries, ways }, "4, 8, 12 or 16 ways, or one set that holds all entries");
  }
  return { entries, ways };
}
