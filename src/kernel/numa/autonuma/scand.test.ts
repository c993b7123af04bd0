import { expect, test } from "vitest";
import { MS_NS } from "../../../core/units.ts";
import { runAlone } from "../../buddy/test-kernel.ts";
import { makeMm } from "../../mm/mm.ts";
import { AUTONUMA_24_KNOBS, AUTONUMA_28_KNOBS, AUTONUMA_KNOBS } from "../../proc/knob-list-2012.ts";
import { enlist, enterAutonuma, exitAutonuma } from "./life.ts";
import { autonuma, KNOB } from "./of.ts";
import { wrongQueue } from "./queue.ts";
import { knumaScand } from "./scand.ts";
import { make, scanPass } from "./test-autonuma.ts";

test("a shared or marked huge page is 512 of progress without work; an empty list pretends a budget", () => {
  const p = make({ huge: true });
  scanPass(p);
  expect(autonuma(p.k).figures).toMatchObject({ progressPages: 9, markedPages: 8 });
  scanPass(p);
  expect(autonuma(p.k).figures).toMatchObject({ progressPages: 18, markedPages: 8 });
  p.mm.users = 0;
  scanPass(p);
  scanPass(p);
  expect(autonuma(p.k).figures.pretendedRounds).toBe(1);
});

test("the scanner sleeps 100 ms for each pages_to_scan of progress", () => {
  const p = make({ pages: 64 });
  p.k.knobs.write(KNOB.PAGES_TO_SCAN, "16");
  const sleeps: number[] = [];
  for (const op of knumaScand(p.k)) {
    if (op.kind !== "sleep") continue;
    sleeps.push(op.waitNs! / MS_NS);
    if (op.waitNs! > 1000 * MS_NS) break;
  }
  expect(sleeps).toEqual([100, 100, 100, 5000]);
});

test("between two passes it sleeps twice five seconds, in two halves of ten, or once ten", () => {
  const pauses = (
    [
      [{ pause: "twice" }, AUTONUMA_KNOBS],
      [{ pause: "halves" }, AUTONUMA_24_KNOBS],
      [{ pause: "once", migrate: "on-fault" }, AUTONUMA_28_KNOBS],
    ] as const
  ).map(([form, knobs]) => {
    const p = make({ ...form, knobs });
    const sleeps: number[] = [];
    for (const op of knumaScand(p.k)) {
      if (op.kind === "sleep" && op.waitNs! > 1000 * MS_NS) sleeps.push(op.waitNs! / MS_NS);
      if (op.kind === "sleep" && autonuma(p.k).fullScans === 2) break;
    }
    return sleeps.slice(0, -1);
  });
  expect(pauses).toEqual([[5000, 5000], [5000, 5000], [10_000]]);
});

test("exit while it is scanned: it waits for the slice, the scanner unlinks, and nobody twice", () => {
  for (const [unlink, sound] of [
    ["marked", true],
    ["unmarked", false],
  ] as const) {
    const p = make({ unlink });
    const a = autonuma(p.k);
    const second = makeMm(p.k);
    runAlone(enterAutonuma(p.k, second));
    scanPass(p);
    a.cursor = enlist(p.k, p.mm);
    p.mm.users = 0;
    const exit = exitAutonuma(p.k, p.mm);
    const ops = [...exit].map((op) => op.lock?.name);
    expect(ops.slice(2)).toEqual(["mmap_lock of mm 0", "mmap_lock of mm 0"]);
    scanPass(p);
    // A second exit path, as of a task that was not waited for.
    runAlone(exitAutonuma(p.k, p.mm));
    expect(a.list.map((entry) => entry.mm.id).includes(second.id)).toBe(sound);
    p.mm.users = 1;
  }
});

test("a scanner that is stopped forgets its place; as first posted, it also unlinks who lives on", () => {
  for (const [stopped, listed] of [
    ["unlinks-any", []],
    ["unlinks-exiting", [0]],
  ] as const) {
    const p = make({ stopped });
    const a = autonuma(p.k);
    a.cursor = enlist(p.k, p.mm);
    a.stopping = true;
    runAlone(knumaScand(p.k));
    expect(a.cursor).toBeUndefined();
    expect(a.list.map((entry) => entry.mm.id)).toEqual(listed);
    expect(wrongQueue(p.k) === undefined).toBe(stopped === "unlinks-exiting");
    // Who exits meanwhile is the scanner's to unlink, in both forms.
    const other = make({ stopped });
    const b = autonuma(other.k);
    b.cursor = enlist(other.k, other.mm);
    other.mm.users = 0;
    b.stopping = true;
    runAlone(knumaScand(other.k));
    expect(b.list).toEqual([]);
    other.mm.users = 1;
  }
});

test("fork and exit take the global mutex; listed by the scanner, a short life never does", () => {
  const acquisitions = (["fork", "scanner"] as const).map((listed) => {
    const p = make({ listed });
    const { mutex } = autonuma(p.k);
    const child = makeMm(p.k);
    const ops = [...enterAutonuma(p.k, child), ...exitAutonuma(p.k, child)];
    return ops.filter((op) => op.lock === mutex && op.kind === "acquire").length;
  });
  expect(acquisitions).toEqual([2, 0]);
});
