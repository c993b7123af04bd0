/**
 * Which address spaces khugepaged looks at: an mm joins the list once and leaves it at exit.
 *
 * Models:       mm/khugepaged.c khugepaged_enter_vma(), __khugepaged_enter(), __khugepaged_exit(), v6.1.
 * Not modelled: unregistering when huge pages are switched off (the kernel does not either).
 */
import type { Path } from "../../core/ops.ts";
import type { Mm } from "../mm/mm.ts";
import type { Vma } from "../mm/vma.ts";
import type { Kernel } from "../state.ts";
import { mayBeHuge } from "../thp/eligible.ts";

/** Registers the area's mm, if the area (with the flags it is about to have) may have huge pages. */
export function khugepagedEnter(k: Kernel, vma: Vma, flags: number = vma.flags): void {
  if (!vma.mm.registered && mayBeHuge(k, vma, "khugepaged", flags)) register(k, vma.mm);
}

/** Registers an mm whose region has got a reservation, whatever its areas may have. */
export function khugepagedRegister(k: Kernel, mm: Mm): void {
  if (!mm.registered) register(k, mm);
}

/** A child of a registered parent is registered at once. */
export function khugepagedFork(k: Kernel, parent: Mm, child: Mm): void {
  if (parent.registered) register(k, child);
}

function register(k: Kernel, mm: Mm): void {
  mm.registered = true;
  k.khugepaged.list.push(mm);
  if (k.khugepaged.list.length === 1) wakeKhugepaged(k);
}

/**
 * Starts the daemon if it waits for work: at boot, when huge pages are switched on, at a first registration.
 */
export function wakeKhugepaged(k: Kernel): void {
  const state = k.khugepaged;
  if (state.running || state.onWake === undefined || k.tunables.enabled === "never") return;
  if (!state.othersRegistered && state.list.length === 0) return;
  state.running = true;
  state.onWake();
}

/** exit: takes the mm off the list; waits while khugepaged is at work in it. */
export function* khugepagedExit(k: Kernel, mm: Mm): Path {
  if (!mm.registered) return;
  const state = k.khugepaged;
  if (state.mm === mm) {
    yield mm.mmapLock.acquire;
    yield mm.mmapLock.release;
  }
  const at = state.list.indexOf(mm);
  if (state.mm === mm) {
    state.mm = state.list[at + 1];
    state.vpn = 0;
  }
  state.list.splice(at, 1);
  mm.registered = false;
}
