/**
 * Colours, for light and dark pages. Kinds are told apart by colour-blind readers too (Okabe and Ito's
 * palette, darkened or lightened to stand out from the ground), and never by colour alone.
 */
export interface Theme {
  readonly ground: string;
  readonly card: string;
  readonly ink: string;
  readonly soft: string;
  readonly rule: string;
  readonly grid: string;
  readonly accent: string;
  readonly better: string;
  readonly worse: string;
  /** Of columns, in order. */
  readonly columns: readonly string[];
  /** Of memory by kind. */
  readonly memory: Readonly<Record<string, string>>;
  /** Of pages by state: index is `PAGE.KIND`. */
  readonly pages: readonly string[];
  readonly shared: string;
  readonly untouched: string;
  /** Of nodes, in order. */
  readonly nodes: readonly string[];
  /** From cold to hot. */
  readonly heat: readonly string[];
}

export const LIGHT: Theme = {
  ground: "#f6f6f3",
  card: "#ffffff",
  ink: "#1b1d20",
  soft: "#575d64",
  rule: "#d9dbd6",
  grid: "#e8eae6",
  accent: "#0b6fb3",
  better: "#00694c",
  worse: "#a33c00",
  columns: ["#0b6fb3", "#c2500a", "#00805c", "#9c4f86", "#8a6d00", "#2f4b7c", "#a3133b", "#4d4d4d"],
  memory: {
    huge: "#0b6fb3",
    base: "#8cc3e6",
    reserved: "#e0b21b",
    file: "#b9b6aa",
    "page-tables": "#9c4f86",
    free: "#e8eae6",
    swap: "#c2500a",
  },
  pages: ["#eceeea", "#5fb0e0", "#0b5a94", "#e0b21b", "#a8a598", "#c2500a", "#cfe3d4", "#000000"],
  shared: "#9c4f86",
  untouched: "#f0a35e",
  nodes: ["#0b6fb3", "#e0861b", "#00805c", "#9c4f86", "#8a6d00", "#2f4b7c", "#a3133b", "#4d4d4d"],
  heat: ["#f1efe6", "#fbd98b", "#f3a33c", "#d4622a", "#8c1d2f", "#3d0b2b"],
};

export const DARK: Theme = {
  ground: "#121518",
  card: "#1a1e22",
  ink: "#e9ebed",
  soft: "#a5adb5",
  rule: "#343a40",
  grid: "#272c31",
  accent: "#5db4f0",
  better: "#6fdcb4",
  worse: "#ffb083",
  columns: ["#5db4f0", "#f59a5b", "#3fcfa0", "#e29ccb", "#e3c34b", "#a5b8e8", "#ff8fa6", "#c9c9c9"],
  memory: {
    huge: "#3f95d1",
    base: "#24587c",
    reserved: "#d9ad2b",
    file: "#5f5f59",
    "page-tables": "#c27fae",
    free: "#272c31",
    swap: "#f08a4b",
  },
  pages: ["#23282d", "#2b6c99", "#74c3f7", "#d9ad2b", "#6d6c64", "#f08a4b", "#3c5546", "#ffffff"],
  shared: "#d48cc0",
  untouched: "#d98a4a",
  nodes: ["#5db4f0", "#f5a85b", "#3fcfa0", "#e29ccb", "#e3c34b", "#a5b8e8", "#ff8fa6", "#c9c9c9"],
  heat: ["#1f2428", "#4a2036", "#8c1d2f", "#d4622a", "#f3a33c", "#fbe7a8"],
};

/** Style sheet variables of a theme. */
export function variablesOf(theme: Theme): Readonly<Record<string, string>> {
  const { columns, ground, card, ink, soft, rule, grid, accent, better, worse } = theme;
  const plain = { ground, card, ink, soft, rule, grid, accent, better, worse };
  const numbered = Object.fromEntries(columns.map((colour, i) => [`c${i}`, colour]));
  const memory = Object.entries(theme.memory).map(([kind, colour]) => [`m-${kind}`, colour] as const);
  return Object.fromEntries(
    Object.entries({ ...plain, ...numbered, ...Object.fromEntries(memory) }).map(([name, colour]) => [
      `--${name}`,
      colour,
    ]),
  );
}

/** Red, green and blue of `#rrggbb`. */
export function rgbOf(colour: string): readonly [number, number, number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** A colour between two. */
export function mix(from: string, to: string, share: number): string {
  const [a, b] = [rgbOf(from), rgbOf(to)];
  const part = (i: 0 | 1 | 2): string =>
    Math.round(a[i] + (b[i] - a[i]) * share)
      .toString(16)
      .padStart(2, "0");
  return `#${part(0)}${part(1)}${part(2)}`;
}
