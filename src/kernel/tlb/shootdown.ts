/**
 * TLB shootdown: after a change of page tables, every CPU that runs the address space forgets the range.
 *
 *     sender:  change ─▶ own TLB ─▶ interrupt ─▶ wait for all ─▶ go on
 *     target:                         └─▶ flush ─▶ acknowledge          (its time is stolen)
 *
 * A range of more than 33 entries is flushed as a whole: all translations of the address space go.
 *
 * Models:       arch/x86/mm/tlb.c flush_tlb_mm_range(), tlb_single_page_flush_ceiling = 33, v6.1.
 * Not modelled: address-space ids running out, the batching of reclaim, lazy CPUs that are interrupted after
 *               all because page tables were freed.
 */
import { C } from "../../core/counters.ts";
import { EVENT, FLUSH_CAUSES, type FlushCause } from "../../core/events.ts";
import { INTERRUPT, NOTHING, type Op } from "../../core/ops.ts";
import { asVpn, NO_ROW, type Vpn } from "../../core/units.ts";
import { nodeOfCpu } from "../machine.ts";
import type { Mm } from "../mm/mm.ts";
import { findRow, linearPage } from "../mm/page-table.ts";
import { emit, type Kernel, spend } from "../state.ts";
import { tlbFlushMm, tlbInvalidateHuge, tlbInvalidatePage } from "./tlb.ts";

/** Ranges of more entries are flushed as a whole (arch/x86/mm/tlb.c tlb_single_page_flush_ceiling). */
export const SINGLE_FLUSH_CEILING_PAGES = 33;

/**
 * Flushes [fromVpn, fromVpn + pages) on this CPU and on every other one that runs the mm. The caller yields
 * what it is given: an interrupt round if there were other CPUs, else nothing. `stridePages` is the size of
 * the entries that changed: pagesPerHuge where only huge PMDs did, so that one huge page is one entry to
 * flush.
 */
export function flushRange(
  k: Kernel,
  mm: Mm,
  fromVpn: Vpn,
  pages: number,
  cause: FlushCause,
  stridePages = 1,
): Op {
  const entries = Math.ceil(pages / stridePages);
  const whole = entries > SINGLE_FLUSH_CEILING_PAGES;
  let targets = 0;
  mm.flushes += 1;
  let interruptNs = 0;
  const ownNode = nodeOfCpu(k.machine, k.cpu);
  for (let cpu = 0; cpu < mm.cpus.length; cpu += 1) {
    if (mm.cpus[cpu] === 0) continue;
    if (k.witness !== undefined) k.witness.flushed(cpu, mm, fromVpn, pages);
    if (whole) tlbFlushMm(k.tlb, cpu, mm.id, k.pt.pmdTables.mm);
    else forgetRange(k, mm, cpu, fromVpn, pages, stridePages);
    if (cpu === k.cpu) {
      countLocal(k, whole, entries);
      continue;
    }
    targets += 1;
    const near = nodeOfCpu(k.machine, cpu) === ownNode;
    interruptNs += near ? k.costs.interruptLocalCpuNs : k.costs.interruptRemoteCpuNs;
    k.stolenNs[cpu]! += k.costs.interruptedNs;
  }
  if (targets > 0) {
    const senderNs = k.costs.interruptNs + interruptNs;
    spend(k, senderNs);
    k.shootdowns.senderNs += senderNs;
    k.shootdowns.interruptedNs += targets * k.costs.interruptedNs;
    k.vmstat[C.nr_tlb_remote_flush]! += 1;
    k.vmstat[C.nr_tlb_remote_flush_received]! += targets;
  }
  emit(k, EVENT.shootdown, mm.id, pages, targets, FLUSH_CAUSES.indexOf(cause));
  return targets > 0 ? INTERRUPT : NOTHING;
}

function countLocal(k: Kernel, whole: boolean, entries: number): void {
  k.vmstat[whole ? C.nr_tlb_local_flush_all : C.nr_tlb_local_flush_one]! += whole ? 1 : entries;
  spend(k, whole ? k.costs.flushAllNs : entries * k.costs.flushOneNs);
}

/** One CPU forgets a short range, entry by entry: base pages and the huge pages that cover them. */
function forgetRange(k: Kernel, mm: Mm, cpu: number, fromVpn: Vpn, pages: number, stridePages: number): void {
  const { pagesPerHuge } = k.geometry;
  const end = fromVpn + pages;
  let vpn: number = fromVpn;
  while (vpn < end) {
    const next = Math.min(end, vpn - (vpn % pagesPerHuge) + pagesPerHuge);
    const row = findRow(k.pt, mm.directory, asVpn(vpn));
    if (row !== NO_ROW) {
      tlbInvalidateHuge(k.tlb, cpu, row);
      const first = linearPage(k.pt, row, asVpn(vpn));
      if (stridePages === 1) {
        for (let linear = first; linear < first + next - vpn; linear += 1) {
          tlbInvalidatePage(k.tlb, cpu, linear);
        }
      }
    }
    vpn = next;
  }
}
