/**
 * Faults planted into the kernel's sources as they are loaded: what the explorer must find. The sources
 * themselves stay as they are.
 */

export interface Mutation {
  readonly name: string;
  /** Below src/kernel. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** A scenario and the form that holds without the fault. */
  readonly scenario: string;
  readonly form: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "a huge page that was restored first is unmapped without a flush",
    file: "migration/entries.ts",
    from: "    yield flushRange(k, mm, vpnOfRow(pt, row), geometry.pagesPerHuge, ",
    to: "    if (huge) return;\n    yield flushRange(k, mm, vpnOfRow(pt, row), geometry.pagesPerHuge, ",
    scenario: "written-while-it-moves",
    form: "v1 of 2021",
  },
  {
    name: "the re-check after an anonymous page's lock is dropped",
    file: "fault/anonymous.ts",
    from: "if (!stillNone(k, vma.mm, row, vpn)) return false;\n  addNewAnonRmap",
    to: "stillNone(k, vma.mm, row, vpn);\n  addNewAnonRmap",
    scenario: "two-threads-one-page",
    form: "linux-6.1",
  },
  {
    name: "a frame that lost the race is not given back",
    file: "fault/anonymous.ts",
    from: "  if (reserved === NO_FRAME) putPage(k, pfn);\n  else",
    to: "  if (reserved !== NO_FRAME)",
    scenario: "two-threads-one-page",
    form: "linux-6.1",
  },
  {
    name: "a frame of the CPU's own list that lost the race is not given back",
    file: "fault/handle.ts",
    from: 'if (outcome === "retry") putPage(k, pfn);',
    to: "",
    scenario: "two-threads-one-page",
    form: "linux-6.1",
  },
  {
    name: "the page-table lock is kept",
    file: "fault/anonymous.ts",
    from: '  yield lock.release;\n  if (won) return "anon-4k";',
    to: '  if (won) return "anon-4k";',
    scenario: "two-threads-one-page",
    form: "linux-6.1",
  },
  {
    name: "the re-check after a huge fault's lock is dropped",
    file: "fault/huge.ts",
    from: "const won = k.pt.pmd.kind[row] === PMD.NONE;\n  if (won) {\n    k.vmstat[C.thp_fault_alloc]",
    to: "const won = row >= 0;\n  if (won) {\n    k.vmstat[C.thp_fault_alloc]",
    scenario: "two-threads-one-huge-page",
    form: "linux-6.1",
  },
  {
    name: "a huge page that lost the race is not given back",
    file: "fault/huge.ts",
    from: '  if (won) return "anon-huge";\n  putPage(k, head);',
    to: '  if (won) return "anon-huge";',
    scenario: "two-threads-one-huge-page",
    form: "linux-6.1",
  },
  {
    name: "the mmap lock is not let go after a fault",
    file: "fault/handle.ts",
    from: "  yield mm.mmapLock.releaseRead;\n",
    to: "",
    scenario: "two-threads-one-page",
    form: "linux-6.1",
  },
  {
    name: "zapping does not flush",
    file: "mm/zap.ts",
    from: "  if (zapped > 0) yield flushRange(k, mm, asVpn(start), end - start, cause);\n",
    to: "  if (zapped < 0) yield flushRange(k, mm, asVpn(start), end - start, cause);\n",
    scenario: "zap-and-write",
    form: "linux-6.1",
  },
  {
    name: "zapped pages are put before the flush",
    file: "mm/zap.ts",
    from:
      "  if (zapped > 0) yield flushRange(k, mm, asVpn(start), end - start, cause);\n" +
      "  for (const pfn of gathered) putPageAndSwap(k, pfn);",
    to:
      "  for (const pfn of gathered) putPageAndSwap(k, pfn);\n  yield { kind: 'preempt' };\n" +
      "  if (zapped > 0) yield flushRange(k, mm, asVpn(start), end - start, cause);",
    scenario: "zap-and-write",
    form: "linux-6.1",
  },
  {
    name: "the re-check before a copy-on-write is dropped",
    file: "fault/write-protect.ts",
    from: "  if (same) {\n    addNewAnonRmap",
    to: "  if (pte >= 0) {\n    addNewAnonRmap",
    scenario: "two-threads-copy-one-page",
    form: "linux-6.1",
  },
  {
    name: "the reference taken for a copy is kept",
    file: "fault/write-protect.ts",
    from: "    putPage(k, headOf(k, old));\n    if (same) putPage",
    to: "    if (same) putPage",
    scenario: "copy-on-write-twice",
    form: "linux-6.1",
  },
  {
    name: "a copy-on-write does not flush",
    file: "fault/write-protect.ts",
    from: '    yield flushRange(k, vma.mm, vpn, 1, "cow");\n',
    to: "",
    scenario: "two-threads-copy-one-page",
    form: "linux-6.1",
  },
  {
    name: "fork leaves the parent's huge PMD writable",
    file: "mm/fork.ts",
    from: "  pmd.flags[row]! &= ~PTE.WRITE;\n",
    to: "",
    scenario: "fork-and-write",
    form: "linux-6.1",
  },
  {
    name: "fork does not flush the parent",
    file: "mm/fork.ts",
    from: '    yield flushRange(k, parent, first.start, last.end - first.start, "fork");\n',
    to: "    void last;\n",
    scenario: "fork-and-write",
    form: "linux-6.1",
  },
  {
    name: "a collapse does not flush",
    file: "khugepaged/collapse.ts",
    from: 'const flushed = flushRange(k, vma.mm, vpn, geometry.pagesPerHuge, "collapse");',
    to: 'const flushed = flushRange(k, vma.mm, vpn, 0, "collapse");',
    scenario: "collapse-and-write",
    form: "linux-6.1",
  },
  {
    name: "a collapse keeps the references of the pages it copied",
    file: "khugepaged/collapse.ts",
    from: "    putPageAndSwap(k, old);\n",
    to: "",
    scenario: "collapse-and-write",
    form: "linux-6.1",
  },
  {
    name: "khugepaged does not look for pins",
    file: "khugepaged/check.ts",
    from: "if (k.frames.refCount[head] !== mappings + inSwapCache * size)",
    to: "if (size < 0)",
    scenario: "collapse-and-pin",
    form: "linux-6.1",
  },
  {
    name: "a pin is taken where writing is not allowed",
    file: "mm/pin.ts",
    from: "if (write ? !isWritable(k, mm, vpn) :",
    to: "if (write ? !hasTranslation(k, mm, asVpn(vpn)) :",
    scenario: "pin-after-fork",
    form: "linux-6.1",
  },
  {
    name: "a page that was not moved stays isolated",
    file: "migration/misplaced.ts",
    from: "  else lruPutback(k, head);\n",
    to: "",
    scenario: "pin-then-migrate",
    form: "linux-6.1",
  },
  {
    name: "the page lock is let go twice (who unlocks)",
    file: "numa/early/fault-huge.ts",
    from: 'if (of.form !== "F4") yield* unlockPage(k, head);',
    to: "yield* unlockPage(k, head);",
    scenario: "pin-then-migrate",
    form: "F4",
  },
  {
    name: "the references that F3 expects are those that F4 does (two or three)",
    file: "numa/early/move-huge.ts",
    from: "if (!looks || k.frames.refCount[head] === 2) return true;",
    to: "if (!looks || k.frames.refCount[head] === 3) return true;",
    scenario: "pin-then-migrate",
    form: "F3",
  },
  {
    name: "a page leaves its queue, the count stays",
    file: "numa/autonuma/queue.ts",
    from: "  queue.pages -= pagesOf(k, asPfn(pfn));\n",
    to: "",
    scenario: "freed-while-queued",
    form: "AutoNUMA 19",
  },
  {
    name: "the migrator's reference is kept",
    file: "numa/autonuma/migrated.ts",
    from: "  const got = yield* isolatePage(k, pfn);\n  putPage(k, pfn);",
    to: "  const got = yield* isolatePage(k, pfn);",
    scenario: "reference-dropped-before-isolation",
    form: "AutoNUMA 19",
  },
  {
    name: "the scanner sleeps with its mutex held",
    file: "numa/autonuma/scand.ts",
    from:
      "  const entry = a.cursor!;\n  const { mm } = entry;\n  let address = a.address;\n" +
      "  yield a.mutex.release;",
    to: "  const entry = a.cursor!;\n  const { mm } = entry;\n  let address = a.address;",
    scenario: "exit-while-scanned",
    form: "AutoNUMA 19",
  },
];
