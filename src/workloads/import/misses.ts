/** What each kind of source cannot see, for traces whose recorder did not say it. */
const NATIVE_FAULTS = [
  "references that do not fault: TLB misses, and how hot a page is",
  "pages that the kernel touches without a fault (get_user_pages)",
];
const VALGRIND = [
  "real time and parallelism: threads run one at a time, time counts instructions",
  "the native layout: mappings are placed as Linux would when the trace is replayed",
];
const PAGES_ONLY = ["system calls: no mapping is known, nothing is ever unmapped"];

const MISSES: Readonly<Record<string, readonly string[]>> = {
  perf: NATIVE_FAULTS,
  pwf: ["the order of references that were folded together", ...VALGRIND],
  lackey: ["memory that the kernel writes for a program, but for read(2) and its like", ...VALGRIND],
  strace: ["every use of memory: only mappings are known"],
  drmemtrace: PAGES_ONLY,
  champsim: ["threads", ...PAGES_ONLY],
  pinatrace: ["threads, time, and how long an access is", ...PAGES_ONLY],
  damon: ["order, threads, reads and writes, single pages: regions are sampled", ...PAGES_ONLY],
};

/** Sentences; none for a source that is not known. */
export const missesOf = (source: string): readonly string[] => MISSES[source] ?? [];
