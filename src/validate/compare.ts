/**
 * Model against kernel, figure by figure: for each snapshot the counters and the regions, for each failed
 * call its errno.
 *
 * What is compared, and how closely, is the table RULES: a figure without a rule is not compared.
 */
import type { ScriptLine } from "../engine/simulate.ts";
import type { Script, Statement } from "../workloads/script/ast.ts";

/** How far a figure may be off; a pair: below and above the model's. */
export type Tolerance = number | readonly [below: number, above: number];

/** One figure of one snapshot, or one failed call, side by side. */
export interface Row {
  readonly snapshot: string;
  readonly figure: string;
  readonly model: string;
  readonly kernel: string;
  readonly agrees: boolean;
  readonly tolerance: Tolerance;
  readonly why: string;
}

export interface Comparison {
  readonly rows: readonly Row[];
  readonly agrees: boolean;
}

/** What a script is like, as far as tolerances depend on it. */
interface Traits extends Closeness {
  readonly sleeps: boolean;
  /** Has a `during` block. */
  readonly busy: boolean;
  /**
   * The machine has swap, and memory has been short on both sides before this snapshot: reclaim went through
   * the lists, and took what it found there.
   */
  readonly pressed: boolean;
  readonly balancing: boolean;
}

/** How closely the two sides can be compared, as far as the script does not say. */
export interface Closeness {
  /** The kernel balances NUMA unless a script tells it not to: Debian's does, given more than one node. */
  readonly balancingByDefault: boolean;
  /** Faults of the program that carried the script out which the language does not count. */
  readonly pgfault: number;
  /** Both sides had the same number of khugepaged passes. */
  readonly samePasses: boolean;
  /** Nobody else runs on the machine, whose counters are those of the script then. */
  readonly alone: boolean;
}

/** A live kernel against the model. */
export const LIVE: Closeness = { balancingByDefault: true, pgfault: 3, samePasses: false, alone: true };

/** The kernel of a machine that others use too: /proc/vmstat says nothing of one script there. */
export const SHARED: Closeness = { ...LIVE, alone: false };

interface Rule {
  readonly matches: (figure: string) => boolean;
  /** Undefined: not compared in a script of this kind. */
  readonly tolerance: (traits: Traits, kernelValue: number, modelValue: number) => Tolerance | undefined;
  readonly why: string;
}

/** khugepaged looks at that many regions a pass by default (pages_to_scan 4096). */
const REGIONS_A_PASS = 8;

/** Pages that may sit in a CPU's LRU batch, where the scanner does not see them. */
const STRAGGLERS = 15;
/** Pages of the program that carried a script out, which move with it. */
const OWN_MIGRATED_PAGES = 64;

/**
 * Pages written to swap, read from it, and faults that had to wait for that. Not `swap_ra_hit`: its mark of
 * a page is that of a page that is being written, so that touching one of these counts as a hit.
 */
const SWAP_FIGURES = new Set(["pswpin", "pswpout", "swpin_zero", "swpout_zero", "pgmajfault", "swap_ra"]);
/** Reclaim for want of memory counts what it looks at; reclaim of chosen pages does not. */
const scanned = ({ vmstat }: SnapshotLine): boolean =>
  (vmstat.pgscan_kswapd ?? 0) + (vmstat.pgscan_direct ?? 0) > 0;

const exactly = (): number => 0;
const quiet = ({ balancing }: Traits): number | undefined => (balancing ? undefined : 0);

/** The first rule that matches a figure decides. Region figures are called `.rss_kb` and so on. */
export const RULES: readonly Rule[] = [
  {
    matches: (figure) => figure.startsWith("thp_scan_"),
    tolerance: ({ sleeps, samePasses }, value) =>
      sleeps && !samePasses ? Math.max(2 * REGIONS_A_PASS, Math.ceil(value / 20)) : 0,
    why: "counts what khugepaged's passes met: in a given time a real daemon makes one or two more or less",
  },
  {
    matches: (figure) => figure === "thp_migration_fail" || figure === "pgmigrate_fail",
    tolerance: quiet,
    why: "a page that cannot move is tried in every pass, and passes come by real time",
  },
  {
    matches: (figure) => figure === "numa_pages_migrated",
    tolerance: ({ balancing }, value) => (balancing ? OWN_MIGRATED_PAGES + Math.ceil(value / 100) : 0),
    why: "the program's own pages move too, and some stay in LRU batches",
  },
  {
    matches: (figure) => figure.startsWith("thp_") || figure === "nr_anon_transparent_hugepages",
    tolerance: exactly,
    why: "counts what the script did, one by one",
  },
  {
    matches: (figure) => figure === "pgfault",
    tolerance: ({ balancing, pgfault }) => (balancing ? undefined : pgfault),
    why: "a program faults on its own pages too",
  },
  {
    matches: (figure) => SWAP_FIGURES.has(figure),
    tolerance: exactly,
    why: "counts pages that went to swap and came back, one by one",
  },
  {
    matches: (figure) => figure === ".rss_kb" || figure === ".anon_huge_kb" || figure === ".anon_kb",
    tolerance: quiet,
    why: "what smaps says of the region",
  },
  {
    matches: (figure) => figure === ".swap_kb",
    tolerance: exactly,
    why: "what smaps says of the region",
  },
  {
    matches: (figure) => figure.startsWith(".node_pages["),
    tolerance: ({ balancing }, value) => (balancing ? Math.max(STRAGGLERS, Math.ceil(value / 100)) : 0),
    why: "where numa_maps says that the region's pages are",
  },
];

type SnapshotLine = Extract<ScriptLine, { readonly snapshot: string }>;
type ErrnoLine = Extract<ScriptLine, { readonly errno: number }>;

/** True if a statement, at any depth, passes the test. */
export function someStatement(body: readonly Statement[], test: (statement: Statement) => boolean): boolean {
  return body.some((each) => test(each) || ("body" in each && someStatement(each.body, test)));
}

function traitsOf(script: Script, closeness: Closeness): Traits {
  const set = script.settings.findLast(({ knob }) => knob === "kernel.numa_balancing");
  const nodes = script.machine?.nodes ?? 1;
  const sleeps = someStatement(script.body, ({ op }) => op === "sleep" || op === "during");
  const on = set === undefined ? closeness.balancingByDefault : set.value !== "0";
  // Hint faults come after a second of run time, not of sleep: a script that does not keep busy never sees
  // one.
  const busy = someStatement(script.body, ({ op }) => op === "during");
  return { ...closeness, sleeps, busy, pressed: false, balancing: nodes > 1 && on && busy };
}

function isWithin(distance: number, tolerance: Tolerance): boolean {
  const [below, above] = typeof tolerance === "number" ? [tolerance, tolerance] : tolerance;
  return distance >= -below && distance <= above;
}

function compareFigure(
  o: { readonly snapshot: string; readonly figure: string; readonly ruled: string; readonly traits: Traits },
  model: number | undefined,
  kernel: number | undefined,
): Row[] {
  const rule = RULES.find(({ matches }) => matches(o.ruled));
  const tolerance = o.traits.pressed ? undefined : rule?.tolerance(o.traits, kernel ?? 0, model ?? 0);
  if (rule === undefined || tolerance === undefined) return [];
  const { snapshot, figure } = o;
  const both = model !== undefined && kernel !== undefined;
  const agrees = both ? isWithin(kernel - model, tolerance) : model === kernel;
  const text = (value: number | undefined): string => (value === undefined ? "not mapped" : String(value));
  return [{ snapshot, figure, model: text(model), kernel: text(kernel), agrees, tolerance, why: rule.why }];
}

function keysOf(...objects: readonly object[]): string[] {
  return [...new Set(objects.flatMap((object) => Object.keys(object)))].sort();
}

const REGION_FIGURES = ["rss_kb", "anon_huge_kb", "anon_kb", "swap_kb"] as const;

function compareRegions(model: SnapshotLine, kernel: SnapshotLine, traits: Traits): Row[] {
  const { snapshot } = kernel;
  return keysOf(model.maps, kernel.maps).flatMap((region) => {
    const mine = model.maps[region];
    const theirs = kernel.maps[region];
    const rows = REGION_FIGURES.flatMap((name) =>
      // A recording need not have every figure.
      theirs !== undefined && theirs[name] === undefined
        ? []
        : compareFigure(
            { snapshot, figure: `${region}.${name}`, ruled: "." + name, traits },
            mine?.[name],
            theirs?.[name],
          ),
    );
    const nodes = Math.max(mine?.node_pages.length ?? 0, theirs?.node_pages?.length ?? 0);
    if (mine === undefined || theirs?.node_pages === undefined) return rows;
    for (let node = 0; node < nodes; node++) {
      const ruled = `.node_pages[${node}]`;
      const pages = [mine.node_pages[node] ?? 0, theirs.node_pages[node] ?? 0] as const;
      rows.push(...compareFigure({ snapshot, figure: region + ruled, ruled, traits }, ...pages));
    }
    return rows;
  });
}

function compareSnapshots(model: SnapshotLine, kernel: SnapshotLine, traits: Traits): Row[] {
  const { snapshot } = kernel;
  const names = traits.alone ? keysOf(model.vmstat, kernel.vmstat) : [];
  const counters = names.flatMap((figure) =>
    compareFigure(
      { snapshot, figure, ruled: figure, traits },
      model.vmstat[figure] ?? 0,
      kernel.vmstat[figure] ?? 0,
    ),
  );
  return [...counters, ...compareRegions(model, kernel, traits)];
}

const isErrno = (line: ScriptLine): line is ErrnoLine => "errno" in line;
const isSnapshot = (line: ScriptLine): line is SnapshotLine => "snapshot" in line;

/** `line 7: advise fails with 22`; recordings may lack the line. */
function errnoText({ errno, op, line }: ErrnoLine, withLine: boolean): string {
  return `${withLine ? `line ${line}: ` : ""}${op} fails with ${errno}`;
}

/** How often a block of `during` comes round is not comparable: what fails again in it counts once. */
function withoutRepeats(lines: readonly ErrnoLine[]): ErrnoLine[] {
  const seen = new Set<string>();
  return lines.filter((line) => {
    const text = errnoText(line, true);
    return !seen.has(text) && seen.add(text) !== undefined;
  });
}

/** Failed calls in their order, between the same snapshots. */
function compareErrnos(snapshot: string, model: readonly ErrnoLine[], kernel: readonly ErrnoLine[]): Row[] {
  const withLine = kernel.every(({ line }) => line > 0);
  const rows: Row[] = [];
  for (let i = 0; i < Math.max(model.length, kernel.length); i++) {
    const mine = model[i] === undefined ? "succeeds" : errnoText(model[i]!, withLine);
    const theirs = kernel[i] === undefined ? "succeeds" : errnoText(kernel[i]!, withLine);
    const why = "what a call answers is part of its meaning";
    rows.push({
      snapshot,
      figure: "errno",
      model: mine,
      kernel: theirs,
      agrees: mine === theirs,
      tolerance: 0,
      why,
    });
  }
  return rows;
}

/** Cuts what a run printed at its snapshots: the failed calls before each, and behind the last. */
function stages(lines: readonly ScriptLine[]): { snapshot: SnapshotLine | undefined; errnos: ErrnoLine[] }[] {
  const cut: { snapshot: SnapshotLine | undefined; errnos: ErrnoLine[] }[] = [
    { snapshot: undefined, errnos: [] },
  ];
  for (const line of lines) {
    const last = cut.at(-1)!;
    if (isErrno(line)) last.errnos.push(line);
    else if (isSnapshot(line)) {
      last.snapshot = line;
      cut.push({ snapshot: undefined, errnos: [] });
    }
  }
  return cut;
}

/** Compares what the two printed for the same script. */
export function compareRuns(
  script: Script,
  model: readonly ScriptLine[],
  kernel: readonly ScriptLine[],
  closeness: Closeness,
): Comparison {
  const traits = traitsOf(script, closeness);
  const swaps = script.machine?.swapBytes !== undefined;
  const mine = stages(model);
  const theirs = stages(kernel);
  const rows: Row[] = [];
  for (let i = 0; i < Math.max(mine.length, theirs.length); i++) {
    const a = mine[i];
    const b = theirs[i];
    const label = b?.snapshot?.snapshot ?? a?.snapshot?.snapshot ?? "the end";
    const once = traits.busy ? withoutRepeats : (lines: readonly ErrnoLine[]) => lines;
    rows.push(...compareErrnos(label, once(a?.errnos ?? []), once(b?.errnos ?? [])));
    if (a?.snapshot !== undefined && b?.snapshot !== undefined) {
      const pressed = swaps && scanned(a.snapshot) && scanned(b.snapshot);
      rows.push(...compareSnapshots(a.snapshot, b.snapshot, { ...traits, pressed }));
    } else if (a?.snapshot !== b?.snapshot) {
      const has = (there: boolean): string => (there ? "reached" : "never reached");
      const [model, kernel] = [has(a?.snapshot !== undefined), has(b?.snapshot !== undefined)];
      const why = "both run the same statements";
      rows.push({ snapshot: label, figure: "snapshot", model, kernel, agrees: false, tolerance: 0, why });
    }
  }
  return { rows, agrees: rows.every(({ agrees }) => agrees) };
}
