import { expect, test } from "vitest";
import { C } from "../../core/counters.ts";
import {
  advise,
  finish,
  moved,
  picture,
  read,
  seenBy,
  sound,
  type World,
  world,
  write,
} from "../testing/picture.ts";
import { forkMm } from "./fork.ts";
import { exitMm } from "./munmap.ts";
import { pinPage, unpinAll } from "./pin.ts";
import { VM } from "./vma.ts";

function fork(w: World): World {
  const child = finish(w, forkMm(w.k, w.mm));
  return seenBy(w, child);
}

test("fork shares huge pages, base pages and zero pages, all read-only for both", () => {
  const w = world("HHHH ss.. z...");
  const child = fork(w);
  expect([picture(w), picture(child)]).toEqual(["hhhh rr-- z---", "hhhh rr-- z---"]);
  expect([moved(w), child.mm.anonPages, child.mm.hugePmds]).toEqual(["", 6, 1]);
});

test("an area with MADV_DONTFORK is not in the child", () => {
  const w = world("HHHH ssss");
  advise(w, "dontfork", 4, 8);
  expect(picture(fork(w))).toBe("hhhh ....");
  expect(picture(w)).toBe("hhhh ssss");
});

test("an area that was only ever read has nothing to copy: the child faults again", () => {
  const w = world("zz..", { tunables: { enabled: "never" } });
  expect(picture(fork(w))).toBe("....");
});

test("a swapped page is shared, and each side reads its own back", () => {
  const w = world("s...", { tunables: { enabled: "never" }, swapPages: 16 });
  advise(w, "pageout", 0, 1);
  const child = fork(w);
  expect([picture(w), picture(child), Math.max(...w.k.swap.useCount)]).toEqual(["w---", "w---", 2]);
  read(child, 0);
  expect([picture(w), picture(child), Math.max(...w.k.swap.useCount)]).toEqual(["w---", "r---", 1]);
});

test("a huge page that get_user_pages holds is shared like any other", () => {
  const w = world("HHHH");
  pinPage(w.k, w.mm, w.start);
  const child = fork(w);
  expect([picture(w), picture(child), moved(w)]).toEqual(["hhhh", "hhhh", ""]);
});

test("a pin is for writing: a shared page must be copied before it can be pinned", () => {
  const w = world("s...", { tunables: { enabled: "never" } });
  fork(w);
  expect(pinPage(w.k, w.mm, w.start)).toBe(false);
  write(w, 0);
  expect(pinPage(w.k, w.mm, w.start)).toBe(true);
  sound(w);
});

test("the child of a process on khugepaged's list is on it at once", () => {
  const w = world("HHHH");
  expect([w.mm.registered, fork(w).mm.registered]).toEqual([true, true]);
});

test("exit frees everything, of all levels, and counts no split", () => {
  const w = world("HHHH ss.. z... cc..", { swapPages: 16 });
  advise(w, "pageout", 4, 5);
  const child = fork(w);
  moved(w);
  for (const mm of [w.mm, child.mm]) {
    mm.users = 0;
    finish(w, exitMm(w.k, mm));
  }
  const { vmstat } = w.k;
  expect([vmstat[C.nr_anon_pages], vmstat[C.nr_page_table_pages], w.k.swap.free]).toEqual([0, 0, 16]);
  expect(w.k.buddy.freePages + w.k.buddy.zones[0]!.pcps[0]!.countPages).toBe(128);
  expect([w.k.rmap.anonVmas.filter((each) => each !== undefined), w.k.khugepaged.list]).toEqual([[], []]);
});

test("a pinned page outlives its mapping, and goes when the pin does", () => {
  const w = world("ssss", { tunables: { enabled: "never" } });
  pinPage(w.k, w.mm, w.start);
  advise(w, "dontneed");
  expect([picture(w), w.k.pins.size]).toEqual(["----", 1]);
  unpinAll(w.k, w.mm);
  sound(w);
  expect(w.k.pins.size).toBe(0);
});

test("shared memory is the same for both: what one allocates the other finds", () => {
  const w = world("....", { tunables: { enabled: "never" } });
  w.mm.vmas[0]!.flags |= VM.SHARED;
  Object.assign(w.mm.vmas[0]!, { shared: { pages: new Map(), sizePages: 64, users: 1 }, pgoff: 0 });
  const child = fork(w);
  write(w, 1);
  expect([read(child, 1), picture(w), picture(child)]).toEqual(["anon-4k", "-s--", "-s--"]);
  expect([w.mm.filePages, child.mm.filePages, w.mm.anonPages]).toEqual([1, 1, 0]);
});
