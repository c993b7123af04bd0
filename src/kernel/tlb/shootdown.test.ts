import { expect, test } from "vitest";
import { C } from "../../core/counters.ts";
import { SMALL } from "../../core/geometry.ts";
import { INTERRUPT, NOTHING } from "../../core/ops.ts";
import { asCpu, asVpn } from "../../core/units.ts";
import { processWith, testKernel, touch } from "../buddy/test-kernel.ts";
import type { Mm } from "../mm/mm.ts";
import { findRow, linearPage } from "../mm/page-table.ts";
import type { Kernel } from "../state.ts";
import { lookUp } from "./fast.ts";
import { peekInLevel } from "./level.ts";
import { flushRange } from "./shootdown.ts";

/** Two nodes of two CPUs; a process whose pages are all there, running on the CPUs of `running`. */
function machine(running: readonly number[], pages: number): { k: Kernel; mm: Mm; start: number } {
  const k = testKernel({ frames: 4096, geometry: SMALL, nodes: 2, cpus: 4, tunables: { enabled: "never" } });
  Object.assign(k, {
    costs: {
      flushOneNs: 1,
      flushAllNs: 10,
      interruptNs: 1000,
      interruptLocalCpuNs: 20,
      interruptRemoteCpuNs: 300,
      interruptedNs: 7,
    },
  });
  const { mm, start } = processWith(k, pages);
  for (const cpu of running) mm.cpus[cpu] = 1;
  for (let page = 0; page < pages; page += 1) touch(k, mm, start + page);
  k.cpu = asCpu(0);
  k.nowNs = 0;
  return { k, mm, start };
}

function reference(k: Kernel, mm: Mm, cpu: number, vpn: number): number {
  const row = findRow(k.pt, mm.directory, asVpn(vpn));
  const linear = linearPage(k.pt, row, asVpn(vpn));
  return lookUp(k.pt, k.tlb.of[cpu]!, k.pt.pmd.kind[row]!, linear, 1);
}

/** Which of four pages each of the four CPUs knows, after it has used them all: "XXXX" or "X..X". */
function knownAfter(k: Kernel, mm: Mm, start: number, flush: () => void): string {
  const pages = [0, 1, 2, 3];
  const cpus = [0, 1, 2, 3];
  for (const cpu of cpus) for (const page of pages) reference(k, mm, cpu, start + page);
  flush();
  return cpus
    .map((cpu) => pages.map((page) => (hits(k, mm, cpu, start + page) ? "X" : ".")).join(""))
    .join(" ");
}

function hits(k: Kernel, mm: Mm, cpu: number, vpn: number): boolean {
  const linear = linearPage(k.pt, findRow(k.pt, mm.directory, asVpn(vpn)), asVpn(vpn));
  return peekInLevel(k.tlb.of[cpu]!.l1Small, linear, (linear << 1) | 1) >= 0;
}

test("a flush of two pages leaves the others, and CPUs that do not run the process, alone", () => {
  const { k, mm, start } = machine([0, 2], 4);
  const picture = knownAfter(k, mm, start, () => flushRange(k, mm, asVpn(start + 1), 2, "unmap"));
  expect(picture).toBe("X..X XXXX X..X XXXX");
});

test("more than 33 pages are flushed as a whole address space", () => {
  const { k, mm, start } = machine([0], 40);
  const picture = knownAfter(k, mm, start, () => flushRange(k, mm, asVpn(start + 4), 34, "unmap"));
  expect(picture).toBe(".... XXXX XXXX XXXX");
  expect(k.vmstat[C.nr_tlb_local_flush_all]).toBe(1);
  expect(k.vmstat[C.nr_tlb_local_flush_one]).toBe(0);
});

test("33 pages are flushed one by one", () => {
  const { k, mm, start } = machine([0], 40);
  const picture = knownAfter(k, mm, start, () => flushRange(k, mm, asVpn(start + 2), 33, "unmap"));
  expect(picture).toBe("XX.. XXXX XXXX XXXX");
  expect(k.vmstat[C.nr_tlb_local_flush_one]).toBe(33);
});

test("a whole flush of one process leaves another's translations", () => {
  const { k, mm, start } = machine([0], 4);
  const other = processWith(k, 4);
  for (let page = 0; page < 4; page += 1) touch(k, other.mm, other.start + page);
  const picture = knownAfter(k, mm, start, () => flushRange(k, other.mm, asVpn(other.start), 1000, "exit"));
  expect(picture).toBe("XXXX XXXX XXXX XXXX");
});

test("a process that runs here alone interrupts nobody", () => {
  const { k, mm, start } = machine([0], 4);
  expect(flushRange(k, mm, asVpn(start), 2, "unmap")).toBe(NOTHING);
  expect(k.nowNs).toBe(2);
  expect(k.vmstat[C.nr_tlb_remote_flush]).toBe(0);
  expect([...k.stolenNs]).toEqual([0, 0, 0, 0]);
});

test("sender and targets pay for the round: a near target less than a far one", () => {
  const { k, mm, start } = machine([0, 1, 3], 4);
  const heard: number[][] = [];
  k.listener = (...event) => heard.push(event);
  expect(flushRange(k, mm, asVpn(start), 2, "unmap")).toBe(INTERRUPT);
  expect(k.nowNs).toBe(2 + 1000 + 20 + 300);
  expect([...k.stolenNs]).toEqual([0, 7, 0, 7]);
  expect(k.vmstat[C.nr_tlb_remote_flush]).toBe(1);
  expect(k.vmstat[C.nr_tlb_remote_flush_received]).toBe(2);
  expect(heard.map(([, , , mmId, pages, targets]) => [mmId, pages, targets])).toEqual([[mm.id, 2, 2]]);
});

test("a daemon on another CPU interrupts the process's CPU", () => {
  const { k, mm, start } = machine([0], 4);
  k.cpu = asCpu(2);
  expect(flushRange(k, mm, asVpn(start), 1, "collapse")).toBe(INTERRUPT);
  expect(k.vmstat[C.nr_tlb_local_flush_one]).toBe(0);
});

test("one huge page is one entry to flush", () => {
  const { k, mm, start } = machine([0], 4);
  flushRange(k, mm, asVpn(start), 4, "unmap", 4);
  expect(k.vmstat[C.nr_tlb_local_flush_one]).toBe(1);
});
