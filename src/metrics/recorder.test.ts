import assert from "node:assert/strict";
import { test } from "vitest";
import { recordedColumns } from "../../test/samples/recorded.ts";
import { EVENT, FAULT_KINDS } from "../core/events.ts";
import { simulate } from "../engine/simulation.ts";
import { workloadByName } from "../workloads/generators/index.ts";
import { parseScript } from "../workloads/script/parse.ts";
import { PAGE, type PageMap, type Recording } from "./recording.ts";

const [never, always] = recordedColumns().map((column) => ({ ...column, r: column.recording! }));
assert.ok(never !== undefined && always !== undefined);

/** States of all pages at a frame, replayed from the changes. */
function statesAt(map: PageMap, pagesPerHuge: number, frame: number): Uint8Array {
  const states = new Uint8Array(map.regions.length * pagesPerHuge);
  for (let i = 0; i < map.frame.length && map.frame[i]! <= frame; i++) {
    states.fill(map.state[i]!, map.page[i]!, map.page[i]! + map.run[i]!);
  }
  return states;
}

/** One letter a 2 MiB region: . absent, b base pages, H huge, m mixed. */
function picture(r: Recording, frame: number): string {
  const states = statesAt(r.map, r.pagesPerHuge, frame);
  return r.map.regions
    .map(({ mm }, region) => {
      const pages = states.subarray(region * r.pagesPerHuge, (region + 1) * r.pagesPerHuge);
      const kinds = new Set([...pages].map((state) => state & PAGE.KIND));
      const letter = kinds.has(PAGE.HUGE) ? "H" : kinds.has(PAGE.BASE) ? "b" : ".";
      return (region > 0 && r.map.regions[region - 1]!.mm !== mm ? " " : "") + letter;
    })
    .join("");
}

test("recording a run changes nothing of its result", () => {
  const text = "map a 4M align 2M\nwrite a\nfork c {\n  write a 0..8K\n}\njoin c\n";
  const results = [false, true].map(
    (record) => simulate(parseScript(text, "x.pw"), { settings: { thp: "always" }, record }).result,
  );
  assert.deepEqual(results[1], results[0]);
});

test("the map's pages are those that the kernel counted, at every look", () => {
  for (const { r, result } of [never, always]) {
    const { map, samples } = r;
    const most = map.frameNs.reduce((max, _, frame) => {
      const states = statesAt(map, r.pagesPerHuge, frame);
      const resident = states.filter((state) =>
        [PAGE.BASE, PAGE.HUGE].includes((state & PAGE.KIND) as 1 | 2),
      );
      const at = samples.tNs.indexOf(map.frameNs[frame]!);
      if (at >= 0) {
        const { base, huge } = samples.memoryKb;
        assert.equal(resident.length * 4, base[at]! + huge[at]!, `at ${map.frameNs[frame]} ns`);
      }
      return Math.max(max, resident.length);
    }, 0);
    assert.ok(most * 4 <= result.peakRssSumKb);
    assert.ok(most * 4 >= 8192, "all of the heap is seen at some look");
  }
});

test("the map shows huge pages under always, base pages under never, and nothing after exit", () => {
  const frames = always.r.map.frameNs.length;
  const full = (r: Recording) => r.map.frameNs.findLastIndex((_, frame) => /[bH]{4}/.test(picture(r, frame)));
  assert.match(picture(never.r, full(never.r)), /^bbbb/);
  // Parent and child wrote to the first while they shared it; a page of the third was given back.
  assert.match(picture(always.r, full(always.r)), /^bHbH/);
  assert.match(picture(always.r, frames - 1), /^\.+ ?\.*$/);
});

test("every fault of the result is an event, with the same latencies by kind", () => {
  for (const { r, result } of [never, always]) {
    const totals: Record<string, number> = {};
    let faults = 0;
    for (let i = 0; i < r.events.count; i++) {
      if (r.events.code[i] !== EVENT.fault) continue;
      faults++;
      const kind = FAULT_KINDS[r.events.c[i]!]!;
      totals[kind] = (totals[kind] ?? 0) + r.events.d[i]!;
    }
    assert.equal(faults, result.faultsAll.count);
    const told = Object.entries(result.faults).map(([kind, times]) => [kind, times.totalNs]);
    assert.deepEqual(totals, Object.fromEntries(told));
  }
});

test("events stand in order of time", () => {
  for (const { r } of [never, always]) {
    for (let i = 1; i < r.events.count; i++) assert.ok(r.events.tNs[i]! >= r.events.tNs[i - 1]!);
  }
});

/** The first process. */
const PARENT = 0;

/** The steps of its first fault of a kind, a line each: what, and the entries where they changed. */
function walk(r: Recording, kind: string): string[] {
  const at = Array.from(r.events.code).findIndex(
    (code, i) => code === EVENT.fault && r.events.a[i] === PARENT && FAULT_KINDS[r.events.c[i]!] === kind,
  );
  let before = "";
  return r.courses[r.events.course[at]!]!.map(({ kind, what, entry, tlb }) => {
    const state = `pmd ${entry.pmd} pte ${entry.pteFlags} tlb ${tlb.join("")}`;
    const changed = state === before ? "" : `  [${state}]`;
    before = state;
    return `${kind} ${what}${changed}`;
  });
}

test("a huge fault's walk: functions, locks, and the PMD that becomes huge", () => {
  assert.deepEqual(walk(always.r, "anon-huge"), [
    "enter handle_mm_fault  [pmd 0 pte 0 tlb 00]",
    "lock mmap_lock (read)",
    "enter do_huge_pmd_anonymous_page",
    "lock zone",
    "unlock zone",
    "lock page_table",
    "event hugeFault  [pmd 2 pte 0 tlb 00]",
    "unlock page_table",
    "unlock mmap_lock (read)",
    "end anon-huge",
  ]);
});

test("a copying fault's walk: the entry becomes writable, and the old translation goes", () => {
  const steps = walk(never.r, "cow-copy");
  assert.ok(steps.includes("enter do_wp_page"));
  assert.ok(steps.includes("enter wp_page_copy"));
  // Present, young and dirty before (1 + 4 + 8): fork took the write bit (2). CPU 0 knows the old frame.
  assert.equal(steps[0], "enter handle_mm_fault  [pmd 1 pte 13 tlb 10]");
  assert.ok(steps.includes("event shootdown  [pmd 1 pte 15 tlb 00]"), steps.join("\n"));
});

test("equal courses are kept once, and their cost is the fault's latency", () => {
  const { events, courses } = never.r;
  assert.ok(courses.length < 20, `${courses.length} courses of ${events.count} events`);
  for (let i = 0; i < events.count; i++) {
    const course = courses[events.course[i]!];
    if (course !== undefined) assert.equal(course.at(-1)!.atNs, events.d[i]);
  }
});

test("samples end with the result's counters", () => {
  const { r, result } = always;
  for (const [name, values] of Object.entries(r.samples.counters)) {
    assert.equal(values.at(-1), result.vmstat[name] ?? 0, name);
  }
  assert.deepEqual([...r.samples.tNs], result.series.tNs);
});

test("what does not fit is counted, not forgotten", () => {
  const record = { eventsMax: 10, changesMax: 4, coursesMax: 1, walksMax: 3 };
  const text = "map a 64K\nwrite a\nread a\nunmap a\n";
  const { recording } = simulate(parseScript(text, "x.pw"), { record });
  assert.equal(recording!.events.count, 10);
  assert.ok(recording!.events.dropped >= 6);
  assert.equal(recording!.courses.length, 1);
});

test("pages that are reserved and not used yet are those of nr_thp_reserved, until they are used", () => {
  const text = "map a 4M align 2M\nwrite a 0..256K\nsleep 1ms\nwrite a\nsleep 1ms\n";
  const options = { generation: "thp-reservations-posted", settings: { thp: "always" }, record: true };
  const r = simulate(parseScript(text, "x.pw"), options).recording!;
  const { tNs, memoryKb } = r.samples;
  let seen = 0;
  r.map.frameNs.forEach((ns, frame) => {
    const states = statesAt(r.map, r.pagesPerHuge, frame);
    const reserved = states.filter((state) => (state & PAGE.KIND) === PAGE.RESERVED).length;
    seen = Math.max(seen, reserved);
    const at = tNs.indexOf(ns);
    if (at >= 0) assert.equal(reserved * 4, memoryKb.reserved[at], `at ${ns} ns`);
  });
  assert.equal(seen, 448);
});

test("a lone task's memory is looked at while it runs: the series grows with it", () => {
  const { result } = simulate(parseScript("map a 64M align 2M\nwrite a\n", "x.pw"), {
    settings: { thp: "never" },
  });
  const { tNs, touchedKb } = result.series;
  assert.ok(tNs.length > 100, `${tNs.length} looks`);
  const steps = touchedKb.slice(1).map((kb, i) => kb - touchedKb[i]!);
  const most = Math.max(...steps);
  assert.ok(most <= 65536 / 50, `${most} kB between two looks`);
});

test("areas bear the names that the script gave them, in a child as well; others say what they are", () => {
  const text =
    "map a 2M align 2M\nmap b 2M align 2M shared\nwrite a\nwrite b\nfork c {\n  write a\n}\njoin c\n";
  const { recording } = simulate(parseScript(text, "x.pw"), { settings: {}, record: true });
  const { areas } = recording!.map;
  const named = (mm: number) => [...new Set(areas.filter((area) => area.mm === mm).map(({ name }) => name))];
  assert.deepEqual(named(0).sort(), ["a", "b"]);
  assert.deepEqual(named(1).sort(), ["a", "b"]);
});

test("a named workload has heat as well: as many references as it made, spread over its looks", () => {
  const workload = workloadByName("gups,size=4M,updates=40000");
  const { recording, result } = simulate(workload, { settings: { thp: "never" }, record: true });
  const { heat, heatFrame } = recording!.map;
  const sum = heat.reduce((total, each) => total + each, 0);
  assert.ok(sum > 0 && sum <= result.tlb!.references, `${sum} of ${result.tlb!.references}`);
  assert.ok(sum >= result.tlb!.references * 0.9, `${sum} of ${result.tlb!.references}`);
  assert.ok(new Set(heatFrame).size > 8, `${new Set(heatFrame).size} looks`);
});
