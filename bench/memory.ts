/**
 * What the simulator's own memory is, each figure in a process of its own: `node bench/memory.ts empty GIB`
 * boots a machine, `node bench/memory.ts used GIB PAGES always|never` also lets a program write that many
 * pages. Prints one line of JSON.
 */

import { generationByName } from "../src/generations/index.ts";
import { hardwareByName } from "../src/hardware/index.ts";
import { createKernel } from "../src/kernel/create.ts";
import { benchMachine } from "./machines.ts";
import { measureReplay, momentNow, secondsSince } from "./measure.ts";
import { everyPage, storeStream } from "./streams.ts";

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

function emptyMachine(memGib: number): void {
  const generation = generationByName("linux-6.1")!;
  const hardware = hardwareByName("zen4")!;
  const began = momentNow();
  const k = createKernel({
    machine: benchMachine(memGib),
    behaviours: generation.behaviours,
    knobSpecs: generation.knobs,
    costs: hardware.costs,
    tlb: hardware.tlb,
  });
  const seconds = secondsSince(began);
  console.log(JSON.stringify({ seconds, rssBytes: residentBytes(), nodes: k.machine.nodes }));
}

function usedPages(memGib: number, pages: number, thp: "always" | "never"): void {
  const stream = storeStream({ mappedPages: pages, before: everyPage(pages), pages: new Uint32Array(0) });
  measureReplay({
    stream: storeStream({ mappedPages: 512, before: everyPage(512), pages: new Uint32Array(0) }),
    memGib,
    thp,
    hardware: "zen4",
  });
  const before = residentBytes();
  const { result } = measureReplay({ stream, memGib, thp, hardware: "zen4" });
  const after = process.memoryUsage().rss;
  const simulated = result.touchedPeakKb / 4;
  console.log(JSON.stringify({ bytesPerPage: (after - before) / simulated, pages: simulated }));
}

const [what, memGib, pages, thp] = process.argv.slice(2);
if (what === "empty") emptyMachine(Number(memGib));
else usedPages(Number(memGib), Number(pages), thp === "always" ? "always" : "never");
