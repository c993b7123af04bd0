/**
 * The one formatter of figures: human ("55.9 MiB", "176 µs", "23,075", "-27%") or raw (the plain number in
 * the base unit). Text, HTML and messages all use it. Independent of the host's locale.
 */

export type FigureKind = "count" | "bytes" | "ns" | "share" | "per-thousand";
export type FormatMode = "human" | "raw";

/** Three significant digits, without zeros behind the point that say nothing. */
function significant(value: number, digits = 3): string {
  const size = Math.abs(value);
  const whole = size < 1 ? 1 : Math.floor(Math.log10(size)) + 1;
  const text = value.toFixed(Math.max(0, digits - whole));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** `23,075`. */
function grouped(value: number): string {
  const text = String(Math.round(Math.abs(value))).replace(/\B(?=(\d{3})+$)/g, ",");
  return value < 0 ? "-" + text : text;
}

interface Unit {
  readonly name: string;
  readonly size: number;
}

const BYTE_UNITS: readonly Unit[] = [
  { name: "B", size: 1 },
  { name: "KiB", size: 2 ** 10 },
  { name: "MiB", size: 2 ** 20 },
  { name: "GiB", size: 2 ** 30 },
  { name: "TiB", size: 2 ** 40 },
];

const TIME_UNITS: readonly Unit[] = [
  { name: "ns", size: 1 },
  { name: "µs", size: 1e3 },
  { name: "ms", size: 1e6 },
  { name: "s", size: 1e9 },
];

/** The largest unit in which the value is at least 1 after rounding to three digits. */
function unitOf(units: readonly Unit[], value: number): Unit {
  const size = Math.abs(value);
  let best = units[0]!;
  for (const unit of units) if (size >= unit.size * 0.9995) best = unit;
  return best;
}

function withUnit(units: readonly Unit[], value: number): string {
  if (value === 0) return units === TIME_UNITS ? "0 s" : "0 B";
  const unit = unitOf(units, value);
  const digits = unit.name === "s" ? 4 : 3;
  return `${significant(value / unit.size, digits)} ${unit.name}`;
}

/** `55.9 MiB`. */
export const formatBytes = (bytes: number): string => withUnit(BYTE_UNITS, bytes);
/** `1 fault`, `23,075 faults`. */
export const formatCount = (count: number, what: string): string =>
  `${grouped(count)} ${what}${count === 1 ? "" : "s"}`;
/** `176 µs`. */
export const formatTime = (ns: number): string => withUnit(TIME_UNITS, ns);

/** A figure of a kind, for people or for programs. An unknown figure is a dash. */
export function formatFigure(
  kind: FigureKind,
  value: number | undefined,
  mode: FormatMode = "human",
): string {
  if (value === undefined) return mode === "human" ? "–" : "";
  if (mode === "raw") return String(value);
  switch (kind) {
    case "count":
      return Number.isInteger(value) ? grouped(value) : significant(value);
    case "bytes":
      return formatBytes(value);
    case "ns":
      return formatTime(value);
    case "share":
      return significant(value * 100) + "%";
    case "per-thousand":
      return significant(value * 1000);
  }
}

/**
 * How far a value lies from the first column's: `-27%`, `+2.8%`, `×84`; empty when equal or when there is
 * nothing to relate to. A tiny difference is `~0%`, so that it is not taken for none.
 */
export function formatRelative(relative: number | undefined): string {
  if (relative === undefined || relative === 0) return "";
  if (relative >= 1) return "×" + (relative >= 99 ? grouped(relative + 1) : significant(relative + 1, 2));
  const percent = relative * 100;
  const size = Math.abs(percent);
  if (size < 0.05) return "~0%";
  // "-100%" is for what is gone altogether.
  if (percent > -100 && percent <= -99) return "-" + (Math.floor(size * 10) / 10).toFixed(1) + "%";
  const text = size < 4.95 ? size.toFixed(1).replace(/\.0$/, "") : size.toFixed(0);
  return (percent < 0 ? "-" : "+") + text + "%";
}

/** One unit for a whole axis that reaches `max`: its name, and how many base units it has. */
export function axisUnit(kind: "bytes" | "ns", max: number): Unit {
  return unitOf(kind === "bytes" ? BYTE_UNITS : TIME_UNITS, max);
}
