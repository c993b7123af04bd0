/**
 * npm run bench: how fast the simulator is, on this machine. Figures that depend on the machine are set
 * beside a plain C loop that does the same work, compiled and run a moment before; ratios travel, rates do
 * not. What runs is built first, as what people install is: Node strips types with WebAssembly, after which
 * V8 looks at every access to a typed array for whether its buffer has been taken away.
 *
 *     npm run bench              everything, a minute or two
 *     npm run bench -- --small   everything on small inputs, in seconds; the rates then mean little
 */
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { extname, join } from "node:path";
import { type CLoop, compileCLoop } from "./c-loop.ts";
import { bestOf } from "./measure.ts";
import { measureNodes } from "./nodes.ts";
import { everyPage, STREAM_NAMES, STREAM_REFERENCES, storeStream, streamPages } from "./streams.ts";

const small = process.argv.includes("--small");
const ROUNDS = small ? 1 : 3;
/** A fault's code is wide: V8 has compiled all of it only in the third or fourth round. */
const FAULT_ROUNDS = small ? 1 : 6;
const REFERENCES = small ? 2 ** 17 : STREAM_REFERENCES;
const SPAN_PAGES = 2 ** 18;

function print(label: string, figures: string): void {
  console.log(label.padEnd(34) + figures);
}

function millions(perSecond: number): string {
  return (perSecond / 1e6).toFixed(1).padStart(7) + " M/s";
}

function thousands(perSecond: number): string {
  return (perSecond / 1e3).toFixed(0).padStart(7) + " k/s";
}

function fail(message: string): never {
  console.error(`bench: ${message}`);
  process.exit(1);
}

/**
 * The three streams, from a stored trace through the replay with all counters on; memory is there already.
 */
function benchStreams(loop: CLoop | undefined): void {
  print("\nreferences, stored trace", "   pagewise       C loop  pagewise/C  bytes/record");
  for (const name of STREAM_NAMES) {
    const pages = streamPages(name, REFERENCES);
    const before = everyPage(SPAN_PAGES);
    const stream = storeStream({ mappedPages: SPAN_PAGES, before, pages });
    for (const thp of ["never", "always"] as const) {
      const inC = loop?.run(name, thp === "always", REFERENCES, ROUNDS);
      const { result, seconds } = bestOf(ROUNDS, { stream, memGib: 4, thp, hardware: "plain" });
      const rate = REFERENCES / seconds;
      if (inC !== undefined) compareCounters(name, thp, result.tlb.walks, inC.walks);
      const beside = inC === undefined ? "no compiler" : millions(inC.perSecond);
      const ratio = inC === undefined ? "" : (rate / inC.perSecond).toFixed(2).padStart(9);
      const recordBytes = (stream.bytes.length / (stream.records + before.length)).toFixed(1).padStart(12);
      print(`  ${name}, thp=${thp}`, `${millions(rate)}  ${beside}${ratio}${recordBytes}`);
    }
  }
  for (const hardware of ["zen4", "ice-lake-sp"]) {
    const pages = streamPages("rand", REFERENCES);
    const stream = storeStream({ mappedPages: SPAN_PAGES, before: everyPage(SPAN_PAGES), pages });
    const { seconds } = bestOf(ROUNDS, { stream, memGib: 4, thp: "never", hardware });
    print(`  rand, thp=never, ${hardware}`, millions(REFERENCES / seconds));
  }
}

/**
 * The C loop's last round begins with an empty TLB and all pages there; the replay's TLB still holds what
 * touched the pages. So walks may differ by what the TLB holds, and no more.
 */
function compareCounters(name: string, thp: string, ours: number, theirs: number): void {
  const firstTouches = thp === "always" ? SPAN_PAGES / 512 : SPAN_PAGES;
  const difference = Math.abs(ours - firstTouches - theirs);
  if (difference > 1536 + 64)
    fail(`${name} ${thp}: ${ours} walks, the C loop has ${theirs} + ${firstTouches}`);
}

function benchFaults(): void {
  const smallPages = small ? 2 ** 14 : 2 ** 19;
  const none = new Uint32Array(0);
  const base = storeStream({ mappedPages: smallPages, before: none, pages: everyPage(smallPages) });
  const four = bestOf(FAULT_ROUNDS, { stream: base, memGib: 4, thp: "never", hardware: "zen4" });
  print("\nfaults, 4 KiB", thousands((four.result.vmstat.pgfault ?? 0) / four.seconds));
  const hugePages = small ? 2 ** 7 : 2 ** 14;
  const pages = everyPage(hugePages, 512);
  const wide = storeStream({ mappedPages: hugePages * 512, before: none, pages });
  const huge = bestOf(FAULT_ROUNDS, { stream: wide, memGib: 48, thp: "always", hardware: "zen4" });
  print("faults, huge", thousands((huge.result.vmstat.thp_fault_alloc ?? 0) / huge.seconds));
}

/** The same random references on machines of growing size. */
function benchMachineSize(): void {
  const pages = streamPages("rand", small ? REFERENCES : REFERENCES / 4);
  const stream = storeStream({ mappedPages: SPAN_PAGES, before: everyPage(SPAN_PAGES), pages });
  const sizes = small ? [4, 16] : [16, 64, 256, 1024];
  let first = 0;
  print("\ncost of a random reference", "");
  for (const memGib of sizes) {
    const { seconds } = bestOf(ROUNDS, { stream, memGib, thp: "never", hardware: "plain" });
    const ns = (seconds / pages.length) * 1e9;
    if (first === 0) first = ns;
    print(`  ${memGib} GiB machine`, `${ns.toFixed(1).padStart(7)} ns  ${(ns / first).toFixed(2)} x`);
  }
}

function memoryOf(...words: readonly string[]): Record<string, number> {
  const program = join(import.meta.dirname, `memory${extname(import.meta.filename)}`);
  const text = execFileSync(process.execPath, ["--expose-gc", program, ...words], { encoding: "utf8" });
  return JSON.parse(text) as Record<string, number>;
}

function benchMemory(): void {
  const pages = small ? 2 ** 14 : 3 * 2 ** 20;
  print("\nmemory of the simulator", "");
  for (const thp of ["never", "always"] as const) {
    const { bytesPerPage } = memoryOf("used", small ? "4" : "16", String(pages), thp);
    print(`  a used page, thp=${thp}`, `${bytesPerPage!.toFixed(1).padStart(7)} bytes`);
  }
  const empty = memoryOf("empty", small ? "16" : "1024");
  const mib = (empty.rssBytes! / 2 ** 20).toFixed(0).padStart(7);
  const ms = (empty.seconds! * 1000).toFixed(0);
  print(`  an empty ${small ? "16 GiB" : "1 TiB"} machine`, `${mib} MiB, starts in ${ms} ms`);
}

function benchNodes(): void {
  const { machine, threads, footprintGib, machineSeconds, seconds, ...rest } = measureNodes(small);
  print(`\n${threads} threads, ${footprintGib.toFixed(footprintGib < 1 ? 3 : 0)} GiB`, `   ${machine}`);
  print("  10 s of the machine take", `${((seconds / machineSeconds) * 10).toFixed(1).padStart(7)} s`);
  print("  threads' time in a second", `${rest.threadSecondsPerSecond.toFixed(1).padStart(7)} s`);
}

const loop = compileCLoop();
console.log(`machine: ${cpus()[0]?.model ?? "unknown"}, ${cpus().length} CPUs, Node ${process.version}`);
benchStreams(loop);
benchFaults();
benchMachineSize();
benchMemory();
benchNodes();
loop?.remove();
