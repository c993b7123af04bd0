/**
 * One look at all address spaces: what is resident, under huge pages, touched, and resident without having
 * been touched.
 */
import { C } from "../core/counters.ts";
import { NO_ROW, PAGE_BYTES } from "../core/units.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import { PMD, PTE, vpnOfRow, WAS_HUGE } from "../kernel/mm/page-table.ts";
import { nextUsedRow } from "../kernel/mm/tables.ts";
import type { Kernel } from "../kernel/state.ts";
import { linesBySide } from "../kernel/traffic.ts";
import type { MemoryLook } from "../metrics/collector.ts";
import type { ProcessResult } from "../metrics/result.ts";

const PAGE_KB = PAGE_BYTES / 1024;

export function lookAtMemory(k: Kernel, collapses: number): MemoryLook {
  let anon = 0;
  let file = 0;
  let bloat = 0;
  for (const mm of k.mms) {
    if (mm === undefined) continue;
    anon += mm.anonPages;
    file += mm.filePages;
    bloat += bloatPages(k, mm);
  }
  const { local, remote } = linesBySide(k);
  return {
    localLines: local,
    remoteLines: remote,
    rssKb: (anon + file) * PAGE_KB,
    anonKb: anon * PAGE_KB,
    anonHugeKb: k.totals.huge * k.geometry.pagesPerHuge * PAGE_KB,
    touchedKb: k.totals.touched * PAGE_KB,
    bloatKb: bloat * PAGE_KB,
    hugeFaults: k.vmstat[C.thp_fault_alloc]!,
    hugeCollapses: collapses,
  };
}

/**
 * Anonymous pages of an address space that are resident but that its program never touched: only huge pages
 * bring them.
 */
function bloatPages(k: Kernel, mm: Mm): number {
  const { pt, geometry } = k;
  const n = geometry.pagesPerHuge;
  const last = mm.vmas[mm.vmas.length - 1];
  if (last === undefined) return 0;
  let bloat = mm.hugePmds * n - mm.hugeTouched;
  if (!mm.hasSplit) return bloat;
  for (let row = nextUsedRow(k, mm, mm.vmas[0]!.start, last.end); row !== NO_ROW; ) {
    const kind = pt.pmd.kind[row];
    if (kind === PMD.TABLE && (pt.pmd.flags[row]! & WAS_HUGE) !== 0) bloat += untouchedEntries(k, row);
    row = nextUsedRow(k, mm, vpnOfRow(pt, row) + n, last.end);
  }
  return bloat;
}

function untouchedEntries(k: Kernel, row: number): number {
  const { pt, geometry } = k;
  const n = geometry.pagesPerHuge;
  const base = pt.pmd.value[row]! * n;
  let count = 0;
  for (let i = 0; i < n; i++) {
    const flags = pt.pteFlags[base + i]!;
    if ((flags & (PTE.PRESENT | PTE.ZERO | PTE.FILE)) !== PTE.PRESENT) continue;
    const page = row * n + i;
    if ((pt.touched[page >> 3]! & (1 << (page & 7))) === 0) count++;
  }
  return count;
}

/** What is kept of an address space. */
export function processResult(
  pagesPerHuge: number,
  mm: {
    readonly pid: number;
    readonly name: string;
    readonly peakPages: number;
    readonly peakHugePmds: number;
  },
): ProcessResult {
  return {
    pid: mm.pid,
    name: mm.name,
    peakRssKb: mm.peakPages * PAGE_KB,
    peakAnonHugeKb: mm.peakHugePmds * pagesPerHuge * PAGE_KB,
  };
}
