/**
 * Who acts in scenarios: programs, the scanner, a device that holds a pin, system calls, daemons. Each is a
 * path; what it does to the kernel is the kernel's own code.
 */
import { type Path, PREEMPT } from "../core/ops.ts";
import { handleFault } from "../kernel/fault/handle.ts";
import { forkMm } from "../kernel/mm/fork.ts";
import type { Mm } from "../kernel/mm/mm.ts";
import { mprotect } from "../kernel/mm/mprotect.ts";
import { mremap } from "../kernel/mm/mremap.ts";
import { munmap } from "../kernel/mm/munmap.ts";
import { frameAt, pinPage, unpinPage } from "../kernel/mm/pin.ts";
import { headOf } from "../kernel/mm/rmap.ts";
import { VM } from "../kernel/mm/vma.ts";
import { store } from "./memory.ts";
import { type Actor, Violation } from "./runner.ts";
import { vpnOf, type World } from "./world.ts";

/** An actor on a CPU. */
export function actor(name: string, cpu: number, path: () => Path<unknown>): Actor {
  return { name, cpu, path };
}

/** get_user_pages for writing: faults until the page may be pinned, then holds a reference. */
export function* pin(w: World, page: number): Path<number> {
  const { k, mm } = w;
  const vpn = vpnOf(w, page);
  while (!pinPage(k, mm, vpn)) {
    const outcome = yield* handleFault(k, mm, vpn, true);
    if (outcome === "segv" || outcome === "oom") return -1;
    yield PREEMPT;
  }
  return frameAt(k, mm, vpn);
}

/** Direct I/O: pins a page, the device writes to its frame some time later, the pin is dropped. */
export function* deviceWrite(w: World, page: number, value: number): Path {
  const { k, mm, memory } = w;
  const frame = yield* pin(w, page);
  if (frame < 0) return;
  const head = headOf(k, frame as never);
  const freed = memory.freed[frame]!;
  yield PREEMPT;
  if (memory.freed[frame] !== freed)
    throw new Violation(`a device writes to frame ${frame}, freed under its pin`);
  store(memory, mm, vpnOf(w, page), frame as never, value);
  yield PREEMPT;
  unpinPage(k, mm, head);
}

/** munmap of [from, to) pages. */
export function* unmap(w: World, from = 0, to = w.pages): Path<number> {
  return yield* munmap(w.k, w.mm, w.start + from, to - from);
}

const ACCESS = { none: 0, ro: VM.READ, rw: VM.READ | VM.WRITE } as const;

/** mprotect of [from, to) pages. */
export function* protect(w: World, access: keyof typeof ACCESS, from = 0, to = w.pages): Path<number> {
  return yield* mprotect(w.k, w.mm, w.start + from, to - from, ACCESS[access]);
}

/** mremap of [from, to) pages to page `at`. */
export function* remap(w: World, from: number, to: number, at: number): Path<number> {
  return yield* mremap(w.k, w.mm, w.start + from, to - from, to - from, w.start + at);
}

/** fork; the child is told to `made`. */
export function* fork(w: World, made?: (child: Mm) => void): Path {
  const child = yield* forkMm(w.k, w.mm);
  child.cpus.fill(1);
  made?.(child);
}
