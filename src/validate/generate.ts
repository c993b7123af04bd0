/**
 * Random valid scripts, from a seed: the same seed gives the same script everywhere. Addresses are fixed and
 * a snapshot follows every statement, so that a disagreement names the statement; khugepaged is kept quiet,
 * because what it does depends on when it does it, and so is NUMA balancing but in its own kind
 * (`generate-balancing.ts`).
 */
import { below, makePrng, type Prng } from "../lib/prng.ts";
import type { Advice } from "../workloads/records.ts";
import type { ByteRange, Script, ScriptProt, Statement } from "../workloads/script/ast.ts";
import { balancingScript } from "./generate-balancing.ts";
import { pick, weighted } from "./pick.ts";

/**
 * `thp`: one CPU. `placement`: tasks wander between two nodes, nothing moves by itself. `numa`: automatic
 * balancing, on two nodes. `swap`: one CPU and a disk for swap, to which a good part of all advice sends
 * pages.
 */
export type FuzzKind = "thp" | "placement" | "numa" | "swap";
export const FUZZ_KINDS: readonly FuzzKind[] = ["thp", "placement", "numa", "swap"];

const PAGE_BYTES = 4096;
const HUGE_BYTES = 2 ** 21;
const KB = 1024;
/** Regions lie a GiB or more apart: they never merge, and a move has room. */
const FIRST_ADDRESS = 0x600000000000;
const MOVED_ADDRESS = 0x700100000000;
const APART_BYTES = 0x100000000;
/** Many times what a script can send there: less than half of it is ever in use. */
const SWAP_BYTES = 2 ** 29;

/** A region as the script has left it: what of it is mapped, and with which rights. */
interface Mapped {
  readonly name: string;
  readonly shared: boolean;
  pinned: boolean;
  pages: number;
  /** 0 not mapped, 1 none, 2 read, 3 read and write. */
  access: Uint8Array;
}

interface Making {
  readonly rng: Prng;
  readonly kind: FuzzKind;
  readonly regions: Mapped[];
  readonly body: Statement[];
  moves: number;
}

const STEPS_BYTES = [4 * KB, 4 * KB, 8 * KB, 64 * KB, 512 * KB, HUGE_BYTES] as const;

/** Whole, an aligned half or quarter, or any pages: edges of huge pages are where things happen. */
function randomRange(rng: Prng, pages: number): { from: number; to: number } {
  const unitPages = weighted(rng, [
    [2, pages],
    [4, 512],
    [3, 256],
    [2, 128],
    [6, 1],
  ]);
  const units = Math.floor(pages / unitPages);
  if (units < 1) return { from: 0, to: pages };
  const from = below(rng, units) * unitPages;
  const left = pages - from;
  const length =
    unitPages * (1 + below(rng, Math.min(4 * Math.ceil(256 / unitPages), Math.ceil(left / unitPages))));
  return { from, to: Math.min(pages, from + length) };
}

const bytesOf = ({ from, to }: { from: number; to: number }): ByteRange => ({
  from: from * PAGE_BYTES,
  to: to * PAGE_BYTES,
});

/** A range whose pages all allow it, mostly: one script in a few also does what is refused. */
function allowedRange(m: Making, region: Mapped, access: number): { from: number; to: number } {
  let range = randomRange(m.rng, region.pages);
  for (let tries = 0; tries < 12; tries++) {
    if (region.access.subarray(range.from, range.to).every((each) => each >= access)) break;
    range = randomRange(m.rng, region.pages);
  }
  return range;
}

function touch(m: Making, line: number): Statement {
  const op = pick(m.rng, ["write", "write", "read"] as const);
  const region = pick(m.rng, m.regions);
  const range = bytesOf(allowedRange(m, region, op === "write" ? 3 : 2));
  return { op, line, region: region.name, range, step: pick(m.rng, STEPS_BYTES), random: undefined };
}

function unmap(m: Making, line: number): Statement {
  const region = pick(m.rng, m.regions);
  const range = randomRange(m.rng, region.pages);
  region.access.fill(0, range.from, range.to);
  return { op: "unmap", line, region: region.name, range: bytesOf(range) };
}

const ACCESS: Readonly<Record<ScriptProt, number>> = { none: 1, ro: 2, rw: 3 };

function protect(m: Making, line: number): Statement {
  const region = pick(m.rng, m.regions);
  const range = allowedRange(m, region, 1);
  const prot = weighted(m.rng, [
    [5, "rw"],
    [3, "ro"],
    [2, "none"],
  ] as const);
  const holes = region.access.subarray(range.from, range.to).some((each) => each === 0);
  // mprotect stops at a hole; what it did before it depends on where the areas end. Our own book stays
  // careful.
  for (let page = range.from; page < range.to; page++) {
    if (region.access[page] !== 0)
      region.access[page] = holes ? Math.min(region.access[page]!, ACCESS[prot]) : ACCESS[prot];
  }
  return { op: "protect", line, region: region.name, range: bytesOf(range), prot };
}

const ADVICE: readonly (readonly [weight: number, advice: Advice])[] = [
  [6, "dontneed"],
  [4, "hugepage"],
  [3, "nohugepage"],
  [4, "collapse"],
  [3, "free"],
  [2, "cold"],
  [2, "pageout"],
  [1, "willneed"],
  [2, "dontfork"],
  [1, "dofork"],
];

const ADVICE_ON_SWAP: typeof ADVICE = [...ADVICE, [28, "pageout"], [6, "willneed"]];

function advise(m: Making, line: number): Statement {
  const region = pick(m.rng, m.regions);
  const range = bytesOf(allowedRange(m, region, 1));
  const advice = weighted(m.rng, m.kind === "swap" ? ADVICE_ON_SWAP : ADVICE);
  // Shared memory is neither reclaimed nor collapsed in the model.
  const leftOut = region.shared && (advice === "pageout" || advice === "collapse");
  const meant = leftOut ? "dontneed" : advice;
  return { op: "advise", line, region: region.name, range, advice: meant };
}

/** Moves a region elsewhere, sometimes with another size. */
function remap(m: Making, line: number): Statement {
  const region = pick(m.rng, m.regions);
  const pages = below(m.rng, 3) === 0 ? Math.max(1, region.pages + (below(m.rng, 1024) - 512)) : region.pages;
  const at = MOVED_ADDRESS + APART_BYTES * m.moves++ + randomOffset(m.rng);
  if (region.access.every((each) => each === region.access[0] && each > 0)) {
    region.access = new Uint8Array(pages).fill(region.access[0]!);
    region.pages = pages;
  }
  return { op: "remap", line, region: region.name, size: pages * PAGE_BYTES, at };
}

/** Mostly aligned to a huge page, else by any number of pages: a move then cannot keep huge pages whole. */
function randomOffset(rng: Prng): number {
  return below(rng, 3) === 0 ? below(rng, 512) * PAGE_BYTES : 0;
}

/** References that somebody else holds: to write to, or only to read. */
function pin(m: Making, line: number): Statement {
  const region = pick(m.rng, m.regions);
  if (region.pinned && below(m.rng, 2) === 0) {
    region.pinned = false;
    return { op: "unpin", line, region: region.name };
  }
  region.pinned = true;
  const prot = pick(m.rng, ["ro", "rw"] as const);
  const range = bytesOf(allowedRange(m, region, prot === "rw" ? 3 : 2));
  return { op: "pin", line, region: region.name, range, prot };
}

function split(m: Making, line: number): Statement {
  const region = pick(m.rng, m.regions);
  return { op: "split", line, region: region.name, range: bytesOf(randomRange(m.rng, region.pages)) };
}

function thpDisable(m: Making, line: number): Statement {
  return { op: "thp_disable", line, mode: pick(m.rng, ["on", "off"] as const) };
}

/** A thread that does a few things, in the same address space, and is waited for. */
function thread(m: Making, line: number): Statement[] {
  const name = `t${line}`;
  const inside: Making = { ...m, body: [] };
  const body: Statement[] = [{ op: "cpu", line, cpu: cpuOf(m) }];
  for (let left = 1 + below(m.rng, 2); left > 0; left--) {
    body.push(
      weighted(m.rng, [
        [6, touch],
        [2, advise],
        [1, protect],
        [1, unmap],
      ])(inside, line),
    );
  }
  return [
    { op: "thread", line, name, body },
    { op: "join", line, name },
  ];
}

/** A child that does a few things and is waited for. It has its own copy of the books. */
function fork(m: Making, line: number): Statement[] {
  const name = `c${line}`;
  const inside: Making = {
    ...m,
    regions: m.regions.map((region) => ({ ...region, access: region.access.slice() })),
    body: [],
  };
  const body: Statement[] = [{ op: "cpu", line, cpu: cpuOf(m) }];
  for (let left = 1 + below(m.rng, 3); left > 0; left--) {
    body.push(
      weighted(m.rng, [
        [6, touch],
        [2, advise],
        [1, unmap],
        [1, protect],
      ])(inside, line),
    );
  }
  return [
    { op: "fork", line, name, body },
    { op: "join", line, name },
  ];
}

/** "thp" stays on one CPU; "placement" wanders between two that are on different nodes. */
const cpuOf = (m: Making): number => (m.kind === "placement" ? below(m.rng, 2) : 0);

function mapRegions(m: Making): void {
  const count = 1 + below(m.rng, 3);
  for (let i = 0; i < count; i++) {
    const even = below(m.rng, 2) === 0;
    const pages = even ? 512 * (1 + below(m.rng, 4)) : 256 + below(m.rng, 1792);
    const at = FIRST_ADDRESS + i * APART_BYTES + randomOffset(m.rng);
    const shared = below(m.rng, 10) === 0;
    const access = new Uint8Array(pages).fill(3);
    m.regions.push({ name: `r${i}`, shared, pinned: false, pages, access });
    m.body.push({
      op: "map",
      line: i,
      region: `r${i}`,
      size: pages * PAGE_BYTES,
      at,
      align: undefined,
      prot: "rw",
      shared,
      populate: below(m.rng, 8) === 0,
    });
  }
}

function randomSettings(rng: Prng): Script["settings"] {
  const thp = "transparent_hugepage/";
  const settings = [
    { knob: "kernel.numa_balancing", value: "0" },
    {
      knob: thp + "enabled",
      value: weighted(rng, [
        [4, "always"],
        [3, "madvise"],
        [2, "never"],
      ] as const),
    },
    { knob: thp + "use_zero_page", value: String(below(rng, 2)) },
    { knob: thp + "khugepaged/scan_sleep_millisecs", value: "600000" },
  ];
  if (below(rng, 4) === 0) {
    const value = pick(rng, ["always", "defer", "defer+madvise", "madvise", "never"]);
    settings.push({ knob: thp + "defrag", value });
  }
  if (below(rng, 4) === 0) {
    const [knob, value] = pick(rng, [
      ["max_ptes_none", "0"],
      ["max_ptes_none", "255"],
      ["max_ptes_shared", "0"],
    ] as const);
    settings.push({ knob: thp + "khugepaged/" + knob, value });
  }
  return settings.map((setting, line) => ({ ...setting, line }));
}

/** A random script. `name` is what messages call it. */
export function generateScript(kind: FuzzKind, seed: number, name: string): Script {
  const rng = makePrng(seed);
  if (kind === "numa") return balancingScript(rng, name);
  const m: Making = { rng, kind, regions: [], body: [{ op: "cpu", line: 0, cpu: 0 }], moves: 0 };
  const settings = randomSettings(rng);
  mapRegions(m);
  const statements = 4 + below(rng, 12);
  for (let i = 0; i < statements; i++) {
    if (kind === "placement" && below(rng, 3) === 0) m.body.push({ op: "cpu", line: i, cpu: cpuOf(m) });
    const make = weighted<(m: Making, line: number) => Statement | Statement[]>(rng, [
      [30, touch],
      [6, unmap],
      [8, protect],
      [kind === "swap" ? 34 : 14, advise],
      [3, remap],
      [11, fork],
      [4, thread],
      [4, pin],
      [2, split],
      [1, thpDisable],
    ]);
    const made = make(m, i);
    m.body.push(...(Array.isArray(made) ? made : [made]), { op: "snapshot", line: i, label: `s${i}` });
  }
  const nodes = kind === "swap" ? 1 : 2;
  const swap = kind === "swap" ? { swapBytes: SWAP_BYTES } : {};
  const machine = { nodes, cpus: 2, memBytes: 2 ** 30, hugeBytes: undefined, ...swap };
  return { file: name, machine, settings, body: m.body, expectations: [] };
}
