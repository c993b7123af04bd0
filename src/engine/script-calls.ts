/**
 * The system-call statements of a script, as the kernel's calls. Each answers 0 or more, or an errno negated.
 */
import type { Path } from "../core/ops.ts";
import { asVpn, PAGE_BYTES } from "../core/units.ts";
import { ERRNO } from "../kernel/mm/errno.ts";
import { madvise } from "../kernel/mm/madvise.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import { mmap } from "../kernel/mm/mmap.ts";
import { mprotect } from "../kernel/mm/mprotect.ts";
import { mremap } from "../kernel/mm/mremap.ts";
import { munmap } from "../kernel/mm/munmap.ts";
import { hasTranslation, pinPage, unpinSome } from "../kernel/mm/pin.ts";
import { VM } from "../kernel/mm/vma.ts";
import { splitHugePages } from "../kernel/thp/debug-split.ts";
import { recordMapped } from "../metrics/recorder.ts";
import type { ByteRange, ScriptProt, Statement } from "../workloads/script/ast.ts";
import { countTry, fault, faultOutcome, type Session } from "./session.ts";
import type { Region, Task } from "./tasks.ts";

type Of<Op extends Statement["op"]> = Extract<Statement, { readonly op: Op }>;

/** Where `align` mappings go: far from what the kernel places, one after the other. */
const ALIGNED_BASE_VPN = 0x100000000000 / PAGE_BYTES;
/** `align` leaves at least 1 GiB between two mappings. */
const ALIGNED_GAP_VPN = 2 ** 30 / PAGE_BYTES;

const ACCESS: Readonly<Record<ScriptProt, number>> = { ro: VM.READ, rw: VM.READ | VM.WRITE, none: 0 };

const pagesOf = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES);

/** First page and number of pages of a statement's range. */
export function rangePages(region: Region, range: ByteRange | undefined): { start: number; pages: number } {
  const from = Math.floor((range?.from ?? 0) / PAGE_BYTES);
  const to = range?.to === undefined ? region.pages : pagesOf(range.to);
  return { start: region.start + from, pages: to - from };
}

/** The lowest aligned place above the base that is far enough from every other region. */
function alignedPlace(task: Task, pages: number, align: number): number {
  let at = Math.ceil(ALIGNED_BASE_VPN / align) * align;
  for (const other of [...task.regions.values()].sort((a, b) => a.start - b.start)) {
    const behind = other.start + other.pages + ALIGNED_GAP_VPN;
    const near = other.start < at + pages + ALIGNED_GAP_VPN && behind > at;
    if (near) at = Math.ceil(behind / align) * align;
  }
  return at;
}

export function* callMap(session: Session, task: Task, s: Of<"map">): Path<number> {
  const pages = pagesOf(s.size);
  let at = s.at === undefined ? undefined : s.at / PAGE_BYTES;
  if (at === undefined && s.align !== undefined) {
    at = alignedPlace(task, pages, pagesOf(s.align));
  }
  const flags = ACCESS[s.prot] | (s.shared ? VM.SHARED : 0);
  const start = yield* mmap(session.k, task.mm, { at, pages, flags, replace: false, stack: false });
  if (start < 0) return start;
  task.regions.set(s.region, { name: s.region, start, pages });
  if (session.recorder !== undefined) recordMapped(session.recorder, task.mm, start, pages, s.region);
  if (s.populate) yield* populate(session, task.mm, start, pages, flags);
  return start;
}

/** MAP_POPULATE: faults in what is missing, as get_user_pages would; private writable memory for writing. */
export function* populate(session: Session, mm: Mm, start: number, pages: number, flags: number): Path {
  const write = (flags & (VM.WRITE | VM.SHARED)) === VM.WRITE;
  const end = start + pages;
  for (let vpn = start; vpn < end; vpn++) {
    if (hasTranslation(session.k, mm, asVpn(vpn))) continue;
    const startNs = session.k.nowNs;
    yield fault(session, mm, asVpn(vpn), write);
    const outcome = faultOutcome(session, mm, startNs);
    if (outcome === "segv" || outcome === "oom") return;
  }
}

export function* callUnmap(session: Session, task: Task, s: Of<"unmap">): Path<number> {
  const region = task.regions.get(s.region);
  if (region === undefined) return -ERRNO.EINVAL;
  const { start, pages } = rangePages(region, s.range);
  return yield* munmap(session.k, task.mm, start, pages);
}

export function* callRemap(session: Session, task: Task, s: Of<"remap">): Path<number> {
  const region = task.regions.get(s.region);
  if (region === undefined) return -ERRNO.EFAULT;
  const pages = pagesOf(s.size);
  const at = s.at === undefined ? undefined : s.at / PAGE_BYTES;
  const start = yield* mremap(session.k, task.mm, region.start, region.pages, pages, at);
  if (start < 0) return start;
  region.start = start;
  region.pages = pages;
  return start;
}

export function* callProtect(session: Session, task: Task, s: Of<"protect">): Path<number> {
  const region = task.regions.get(s.region);
  if (region === undefined) return -ERRNO.ENOMEM;
  const { start, pages } = rangePages(region, s.range);
  return yield* mprotect(session.k, task.mm, start, pages, ACCESS[s.prot]);
}

export function* callAdvise(session: Session, task: Task, s: Of<"advise">): Path<number> {
  const region = task.regions.get(s.region);
  if (region === undefined) return -ERRNO.ENOMEM;
  const { start, pages } = rangePages(region, s.range);
  return yield* madvise(session.k, task.mm, start, pages, s.advice);
}

/** get_user_pages on every page of the range: for writing, or to read what is there. */
export function* callPin(session: Session, task: Task, s: Of<"pin">): Path<number> {
  const region = task.regions.get(s.region);
  if (region === undefined) return -ERRNO.EFAULT;
  const { start, pages } = rangePages(region, s.range);
  const write = s.prot === "rw";
  const own = task.pins.get(s.region) ?? [];
  task.pins.set(s.region, own);
  for (let vpn = start; vpn < start + pages; vpn++) {
    const before = task.mm.pins.length;
    for (let tries = 0; !pinPage(session.k, task.mm, vpn, write); tries++) {
      countTry(tries);
      const startNs = session.k.nowNs;
      yield fault(session, task.mm, asVpn(vpn), write);
      const outcome = faultOutcome(session, task.mm, startNs);
      if (outcome === "segv" || outcome === "oom") return -ERRNO.EFAULT;
    }
    own.push(...task.mm.pins.slice(before));
  }
  return 0;
}

/** Lets go of every page that `pin` took under this region's name. */
// biome-ignore lint/correctness/useYield: a statement that has nothing to wait for
export function* callUnpin(session: Session, task: Task, s: Of<"unpin">): Path<number> {
  unpinSome(session.k, task.mm, task.pins.get(s.region) ?? []);
  task.pins.delete(s.region);
  return 0;
}

/** Writes the range to debugfs' split_huge_pages. */
export function* callSplit(session: Session, task: Task, s: Of<"split">): Path<number> {
  const region = task.regions.get(s.region);
  if (region === undefined) return -ERRNO.EINVAL;
  const { start, pages } = rangePages(region, s.range);
  yield* splitHugePages(session.k, task.mm, start, start + pages);
  return 0;
}

const THP_DISABLE = { off: 0, on: 1, "except-advised": 3 } as const;

/** prctl(PR_SET_THP_DISABLE). */
export function* callThpDisable({ k }: Session, task: Task, s: Of<"thp_disable">): Path<number> {
  if (s.mode === "except-advised" && !k.behaviours.thpDisableExceptAdvised) return -ERRNO.EINVAL;
  yield task.mm.mmapLock.acquire;
  task.mm.thpDisable = THP_DISABLE[s.mode];
  yield task.mm.mmapLock.release;
  return 0;
}
