/**
 * A hardware description: the TLBs of one processor and what things cost on it, each figure with its source
 * or the word "assumed". The kernel sees `costs` and `tlb`; people see `figures`.
 */
import type { Costs } from "../kernel/costs.ts";
import type { TlbSpec } from "../kernel/tlb/tlb.ts";
import { FIGURES, type FigureName } from "./figures.ts";

/** One figure of one hardware. */
export interface SourcedFigure {
  readonly value: number;
  /** Where it comes from, in a sentence, or a sentence that begins with "assumed". */
  readonly source: string;
}

export interface HardwareSpec {
  readonly name: string;
  readonly summary: string;
  readonly tlb: TlbSpec;
  /** Where the geometry of the TLBs comes from. */
  readonly tlbSource: string;
  readonly figures: Readonly<Record<FigureName, SourcedFigure>>;
  readonly costs: Costs;
}

export type FigureSet = Readonly<Record<FigureName, SourcedFigure>>;

/** What a description gives; figures that it leaves out are the catalogue's. */
export interface HardwareParts {
  readonly name: string;
  readonly summary: string;
  readonly tlb: TlbSpec;
  readonly tlbSource: string;
  readonly figures: Readonly<Partial<Record<FigureName, SourcedFigure>>>;
}

/** A description from its own figures and, for the rest, those of `base`. */
export function makeHardware(parts: HardwareParts, base: FigureSet = defaultFigures()): HardwareSpec {
  const figures = { ...base, ...parts.figures };
  return { ...parts, figures, costs: costsOf(figures) };
}

/** Every figure at its default. */
export function defaultFigures(): FigureSet {
  const names = Object.keys(FIGURES) as FigureName[];
  return Object.fromEntries(
    names.map((name) => [name, { value: FIGURES[name].default, source: FIGURES[name].source }]),
  ) as FigureSet;
}

const LINE_BYTES = 64;
const BASE_PAGE_BYTES = 4096;
const HUGE_PAGE_BYTES = 2 * 1024 * 1024;

/** The kernel's costs, whole nanoseconds or picoseconds, from the documented figures. */
export function costsOf(figures: FigureSet): Costs {
  const of = (name: FigureName) => figures[name].value;
  const ns = (name: FigureName) => Math.round(of(name));
  const linePs = (name: FigureName) => Math.round((LINE_BYTES * 1000) / of(name));
  const cyclePs = 1000 / of("clockGhz");
  return {
    faultNs: ns("faultNs"),
    zeroPageNs: Math.round(BASE_PAGE_BYTES / of("zeroPageBytesPerNs")),
    zeroHugeNs: Math.round(HUGE_PAGE_BYTES / of("zeroHugeBytesPerNs")),
    copyPageNs: Math.round(BASE_PAGE_BYTES / of("copyPageBytesPerNs")),
    copyHugeNs: Math.round(HUGE_PAGE_BYTES / of("copyHugeBytesPerNs")),
    syscallNs: ns("syscallNs"),
    allocPageNs: ns("allocPageNs"),
    allocHugeNs: ns("allocHugeNs"),
    zapPageNs: ns("zapPageNs"),
    zapHugeNs: ns("zapHugeNs"),
    changePteNs: ns("changePteNs"),
    splitPmdNs: ns("splitPmdNs"),
    splitPageNs: ns("splitPageNs"),
    forkPteNs: ns("forkPteNs"),
    forkPmdNs: ns("forkPmdNs"),
    forkNs: ns("forkNs"),
    collapseNs: ns("collapseNs"),
    scanPteNs: ns("scanPteNs"),
    compactScanNs: ns("compactScanNs"),
    migratePageNs: ns("migratePageNs"),
    reclaimPageNs: ns("reclaimPageNs"),
    swapPageNs: ns("swapPageNs"),
    flushOneNs: ns("flushOneNs"),
    flushAllNs: ns("flushAllNs"),
    interruptNs: ns("interruptNs"),
    interruptLocalCpuNs: ns("interruptLocalCpuNs"),
    interruptRemoteCpuNs: ns("interruptRemoteCpuNs"),
    interruptedNs: ns("interruptedNs"),
    contendedLineNs: ns("contendedLineNs"),
    wakeNs: ns("wakeNs"),
    referencePs: Math.round(of("referenceCycles") * cyclePs),
    secondLevelPs: Math.round(of("secondLevelCycles") * cyclePs),
    walkReferencePs: Math.round(of("walkReferenceCycles") * cyclePs),
    lineLatencyPs: Math.round(of("memoryLatencyNs") * 1000),
    remoteLatencyPs: Math.round(of("remoteLatencyNs") * 1000),
    lineStreamPs: linePs("streamBytesPerNs"),
    remoteStreamPs: linePs("remoteStreamBytesPerNs"),
    nodeLinePs: linePs("nodeBytesPerNs"),
    linkLinePs: linePs("linkBytesPerNs"),
    boardLinePs: linePs("boardBytesPerNs"),
    nearTurns: of("nearTurns"),
    boardNodes: of("boardNodes"),
    moveTaskNs: ns("moveTaskNs"),
  };
}
