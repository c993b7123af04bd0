/**
 * The catalogue of hardware figures: unit, range, meaning, and the default with its source. Defaults are
 * those of a Zen 4 server in a virtual machine, because that is where most of them could be measured; every
 * description overrides what is known better for it.
 */
export interface FigureSpec {
  readonly unit: "ns" | "bytes/ns" | "GHz" | "cycles" | "nodes" | "turns";
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly doc: string;
  readonly source: string;
}

const MEASURED = "measured: Zen 4 server, KVM guest, Linux 6.18, best of repeated runs";
const ASSUMED = "assumed: no measurement at hand";

function time(value: number, doc: string, source: string, max = 1_000_000): FigureSpec {
  return { unit: "ns", default: value, min: 0, max, doc, source };
}

function rate(value: number, doc: string, source: string): FigureSpec {
  return { unit: "bytes/ns", default: value, min: 0.1, max: 1000, doc, source };
}

function cycles(value: number, doc: string, source: string): FigureSpec {
  return { unit: "cycles", default: value, min: 0, max: 10_000, doc, source };
}

const FAULT_FIGURES = {
  syscallNs: time(170, "A system call's round trip.", `${MEASURED}: getppid()`),
  faultNs: time(
    630,
    "A fault without allocation, zeroing or copying.",
    `${MEASURED}: read fault that maps the 4 KiB zero page, 0.63 us`,
  ),
  allocPageNs: time(
    665,
    "Taking one base page: per-CPU list, charge, rmap and LRU.",
    `${MEASURED}: 4 KiB write fault 1.5 us less 0.63 us (fault) and 0.205 us (zeroing)`,
  ),
  zeroPageBytesPerNs: rate(
    20,
    "Zeroing one base page: into the cache.",
    `${MEASURED}: memset 13-28 GB/s; the middle is taken`,
  ),
  zeroHugeBytesPerNs: rate(
    12.35,
    "Zeroing a huge page: to memory.",
    `${MEASURED}: huge fault 172 us less fault, page table and allocation; 2 MiB in 169.8 us`,
  ),
  copyPageBytesPerNs: rate(
    6,
    "Copying one base page, neither page in the cache.",
    `${MEASURED}: copy-on-write fault 2.1 us less 0.63 us (fault), 0.665 us (page), 0.1 us (flush)`,
  ),
  copyHugeBytesPerNs: rate(14, "Copying a huge page.", `${MEASURED}: memcpy on huge pages 14 GB/s`),
  allocHugeNs: time(
    700,
    "Taking a huge page without zeroing.",
    `${MEASURED}: huge fault less zeroing is 1-2 us, of which 0.63 us fault and 0.87 us page table`,
  ),
  zapPageNs: time(270, "Unmapping and freeing one base page.", `${MEASURED}: munmap 0.24-0.31 us a page`),
  zapHugeNs: time(4_300, "Unmapping and freeing one huge page.", `${MEASURED}: munmap 4.3 us a huge page`),
} as const satisfies Record<string, FigureSpec>;

const PATH_FIGURES = {
  changePteNs: time(50, "Changing one PTE in a run of them (mprotect, madvise).", ASSUMED),
  splitPmdNs: time(
    10_000,
    "Turning one huge PMD into a table of 512 PTEs.",
    `${MEASURED}: mprotect of one page +10 to +26 us when it splits a PMD; the least is taken`,
  ),
  splitPageNs: time(20_000, "Splitting a huge page into base pages.", ASSUMED),
  forkPteNs: time(
    90,
    "Copying one PTE at fork.",
    `${MEASURED}: fork of 256 MiB in 4 KiB pages 5.9 ms, 65,536 PTEs`,
  ),
  forkPmdNs: time(
    1_300,
    "Copying one huge PMD at fork.",
    `${MEASURED}: fork of 256 MiB in huge pages 0.27 ms, 128 PMDs, less the fixed part`,
  ),
  forkNs: time(100_000, "fork, fixed part.", "assumed: 0.1 ms of the 0.27 ms above"),
  collapseNs: time(
    60_000,
    "Collapsing a region, without zeroing and copying.",
    `${MEASURED}: MADV_COLLAPSE with one page present 100-170 us less zeroing of 511 pages`,
  ),
  scanPteNs: time(15, "Looking at one PTE in khugepaged's scan.", ASSUMED),
  compactScanNs: time(30, "Looking at one page in compaction.", ASSUMED),
  migratePageNs: time(
    1_500,
    "Migrating one base page, without the copy.",
    "assumed: migration of a warm base page is often given as 1-3 us in all",
  ),
  reclaimPageNs: time(300, "Looking at one page in reclaim.", ASSUMED),
  swapPageNs: time(80_000, "Reading or writing one base page of swap.", "assumed: an NVMe drive's latency"),
  wakeNs: time(5_000, "Waking a daemon until it runs.", ASSUMED),
  moveTaskNs: time(
    5_000,
    "Taking a task over to another CPU of its node: two run queues, a switch, and the kernel's cold data.",
    "assumed: as waking a daemon; what the task itself misses afterwards is charged where it misses",
  ),
} as const satisfies Record<string, FigureSpec>;

const IPI =
  "published: a shootdown takes about 1 us and 0.2 us for each target (unseel.com/cs/tlb-shootdown)";

const PROCESSOR_FIGURES = {
  flushOneNs: time(100, "Flushing one TLB entry of this CPU.", ASSUMED),
  flushAllNs: time(200, "Flushing an address space's TLB entries of this CPU.", ASSUMED),
  interruptNs: time(1_000, "A shootdown, fixed part for its sender.", IPI),
  interruptLocalCpuNs: time(200, "The same, for each target of the sender's node.", IPI),
  interruptRemoteCpuNs: time(
    500,
    "The same, for each target of another node.",
    "assumed: 2.5 times a target of the same node; published totals are 14 us for 64 CPUs, 50 us for 256",
  ),
  interruptedNs: time(500, "The same, for each target itself.", ASSUMED),
  contendedLineNs: time(
    150,
    "A cache line that another CPU has just written.",
    "assumed: 50 to 100 ns within a socket, 150 to 300 ns across",
  ),
  clockGhz: { unit: "GHz", default: 3.7, min: 0.1, max: 10, doc: "Cycles in a ns.", source: ASSUMED },
  referenceCycles: cycles(
    1,
    "A reference whose translation is in the first level.",
    "assumed: hits overlap with other work",
  ),
  secondLevelCycles: cycles(
    7,
    "A second-level hit, beyond the first.",
    "assumed: 7 to 9 cycles are commonly given for recent x86 processors",
  ),
  walkReferenceCycles: cycles(
    30,
    "One memory reference of a page walk.",
    "assumed: 20 to 40 cycles while the entry is in the second- or third-level data cache",
  ),
} as const satisfies Record<string, FigureSpec>;

const MEMORY_FIGURES = {
  memoryLatencyNs: time(100, "A cache line from the own node's memory, alone.", "assumed: 90 to 120 ns"),
  remoteLatencyNs: time(
    190,
    "The same from a node at distance 20.",
    "assumed: 1.5 to 2 times the own node's on machines of two sockets",
  ),
  streamBytesPerNs: rate(
    12.35,
    "A stream from the own node's memory, for one CPU.",
    `${MEASURED}: zeroing to memory, as zeroHugeBytesPerNs`,
  ),
  remoteStreamBytesPerNs: rate(
    6.5,
    "The same from a node at distance 20.",
    "assumed: as much slower as the latency is longer, since as many lines are on their way",
  ),
  nodeBytesPerNs: rate(
    200,
    "What the memory of one node gives to all CPUs together.",
    "assumed: half of the 461 GB/s that twelve DDR5-4800 channels have in theory",
  ),
  linkBytesPerNs: rate(
    100,
    "What the link from one node to another gives to all CPUs there together.",
    "assumed: half of what four links of 16 lanes at 32 GT/s have in theory",
  ),
  nearTurns: {
    unit: "turns",
    default: 0,
    min: 0,
    max: 16,
    doc: "Turns of a node's own CPUs at its busy memory for one of each link; 0: in order of arrival.",
    source: "assumed: requests are served in order of arrival",
  },
  boardBytesPerNs: rate(
    1000,
    "What the way between boards gives, both directions together, on machines that have several.",
    "assumed: no limit beyond the links",
  ),
  boardNodes: {
    unit: "nodes",
    default: 1024,
    min: 1,
    max: 1024,
    doc: "Nodes of a board; a machine with no more has one.",
    source: "assumed: servers of today have their sockets on one board",
  },
} as const satisfies Record<string, FigureSpec>;

export const FIGURES = { ...FAULT_FIGURES, ...PATH_FIGURES, ...PROCESSOR_FIGURES, ...MEMORY_FIGURES };

export type FigureName = keyof typeof FIGURES;

export const FIGURE_NAMES = Object.keys(FIGURES) as readonly FigureName[];
