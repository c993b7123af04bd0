/** Known defects of the reservations as posted, each with what shows it. */
import { describe, expect, test } from "vitest";
import { asPfn, asVpn, type Pfn } from "../core/units.ts";
import { runAlone } from "../kernel/buddy/test-kernel.ts";
import { handleFault } from "../kernel/fault/handle.ts";
import { violations } from "../kernel/invariants.ts";
import { follow, type HeldLocks } from "../kernel/invariants-paths.ts";
import { RESERVED_BELIEF } from "../kernel/invariants-reservations.ts";
import { exitMm } from "../kernel/mm/munmap.ts";
import { frameAt } from "../kernel/mm/pin.ts";
import { lruDrainAll } from "../kernel/reclaim/lru.ts";
import { advise, picture, scanPass, type World, write } from "../kernel/testing/picture.ts";
import { balanced, exit, fork, POSTED, REVIEWED, reserved, reserving } from "./testing/reserving.ts";

/** Two CPUs fault on one page: the second begins while the first has its page and has not mapped it. */
function raceOnOnePage(w: World): { readonly first: Pfn; readonly outcomes: string[] } {
  const { k, mm, start } = w;
  const path = () => handleFault(k, mm, asVpn(start), true);
  const [one, other] = [path(), path()];
  // One takes its page and stops where it wants the page-table lock.
  const outcomes: string[] = [];
  const untilLock = (of: ReturnType<typeof path>): HeldLocks => {
    const held: HeldLocks = new Map();
    for (let step = of.next(); ; step = of.next()) {
      if (step.done) return held;
      follow(held, "a fault", step.value);
      if (step.value.kind === "acquire" && step.value.lock?.lockClass === "page_table") return held;
    }
  };
  write(w, 3);
  const [heldByOne, heldByOther] = [untilLock(one), untilLock(other)];
  outcomes.push(runAlone(one, heldByOne), runAlone(other, heldByOther));
  return { first: frameAt(k, mm, start), outcomes };
}

describe("known defects of the posted code, each with what shows it", () => {
  test("two faults on one page: the loser's page is lost from nr_thp_reserved for good", () => {
    const w = reserving(POSTED, "....", { threshold: 4 });
    const { outcomes } = raceOnOnePage(w);
    expect(outcomes).toEqual(["anon-4k", "retry"]);
    expect(violations(w.k)).toEqual([`${RESERVED_BELIEF}: nr_thp_reserved is 1, live reservations have 2`]);
    w.mm.users = 0;
    runAlone(exitMm(w.k, w.mm));
    expect(reserved(w)).toBe(-1);
  });

  test("the reviewed design counts it back: the second fault took an ordinary page, and gave it back", () => {
    const w = reserving(REVIEWED, "....", { threshold: 4 });
    expect(raceOnOnePage(w).outcomes).toEqual(["anon-4k", "retry"]);
    expect([violations(w.k), reserved(w)]).toEqual([[], 2]);
    balanced(w);
  });

  test("a threshold below half is no threshold: khugepaged still wants half of the pages in use", () => {
    const w = reserving(POSTED, "....", { threshold: 2 });
    write(w, 0);
    w.k.tunables.promotionThreshold = 1;
    lruDrainAll(w.k);
    scanPass(w);
    expect(picture(w)).toBe("s---");
    balanced(w);
  });

  test("a region that is written back to life after fork and exit is promoted only after a write", () => {
    const w = reserving(POSTED, "....", { threshold: 4 });
    for (let page = 0; page < 3; page++) write(w, page);
    exit(fork(w));
    w.k.tunables.promotionThreshold = 3;
    lruDrainAll(w.k);
    scanPass(w);
    expect(picture(w)).toBe("rrr-");
    write(w, 0);
    scanPass(w);
    expect(picture(w)).toBe("HHHH");
    balanced(w);
  });

  test("a page from elsewhere would lose its data at promotion: the region is left alone", () => {
    const w = reserving(POSTED, "....", { threshold: 3 });
    write(w, 0);
    advise(w, "nohugepage");
    write(w, 1);
    advise(w, "hugepage");
    write(w, 2);
    write(w, 3);
    const page = frameAt(w.k, w.mm, w.start + 1);
    expect(asPfn(page - 1)).not.toBe(frameAt(w.k, w.mm, w.start));
    lruDrainAll(w.k);
    scanPass(w);
    expect([picture(w), reserved(w)]).toEqual(["ssss", 1]);
    balanced(w);
  });
});
