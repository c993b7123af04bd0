/**
 * Is the entry still the hint that the fault was taken for? Every handler of hint faults asks this under the
 * page-table lock.
 *
 * Models:       the pte_same() and pmd_same() of do_numa_page(), do_huge_pmd_numa_page(), v3.8 to v6.1.
 * Not modelled: an entry that went away and came back as it was: it passes here as there.
 */
import { asPfn, type Pfn, type PmdRow, type Vpn } from "../../core/units.ts";
import { PMD, PTE, pteIndex } from "../mm/page-table.ts";
import type { Kernel } from "../state.ts";

/** An entry's flags without those that a processor or a zap-less look may set meanwhile. */
const SAME = PTE.PRESENT | PTE.HINT;

/** The frame of a page whose PTE is a hint, or −1. */
export function hintedFrame(k: Kernel, row: PmdRow, vpn: Vpn): Pfn {
  if (k.pt.pmd.kind[row] !== PMD.TABLE) return asPfn(-1);
  const pte = pteIndex(k.pt, row, vpn);
  return asPfn((k.pt.pteFlags[pte]! & SAME) === SAME ? k.pt.ptePfn[pte]! : -1);
}

/** The huge page whose PMD is a hint, or −1. */
export function hintedHead(k: Kernel, row: PmdRow): Pfn {
  const hinted = k.pt.pmd.kind[row] === PMD.HUGE && (k.pt.pmd.flags[row]! & PTE.HINT) !== 0;
  return asPfn(hinted ? k.pt.pmd.value[row]! : -1);
}
