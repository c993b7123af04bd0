/** The steps of one fault: what the path did, what it held, what the page's entries and the TLBs were. */
import { FLUSH_CAUSES } from "../../core/events.ts";
import { PMD, PTE } from "../../kernel/mm/page-table.ts";
import type { EntryState, WalkCourse, WalkStep } from "../../metrics/recording.ts";
import { formatTime } from "../../report/format.ts";
import { Chart } from "../draw/chart.tsx";
import { paintWalk } from "../draw/walk.ts";
import { step } from "../state.ts";
import { goToStep, Stepper, stepKeys } from "./stepper.tsx";

const FLAG_WORDS: readonly (readonly [flag: number, word: string])[] = [
  [PTE.PRESENT, "present"],
  [PTE.WRITE, "write"],
  [PTE.YOUNG, "young"],
  [PTE.DIRTY, "dirty"],
  [PTE.HINT, "no access (hint)"],
  [PTE.ZERO, "zero page"],
  [PTE.SWAP, "swapped"],
  [PTE.FILE, "file"],
];

const PMD_WORDS = ["none", "table", "huge page", "huge zero page"];

function flagWords(flags: number): string {
  const words = FLAG_WORDS.filter(([flag]) => (flags & flag) !== 0).map(([, word]) => word);
  return words.length === 0 ? "none" : words.join(", ");
}

function entryWords({ pmd, pmdFlags, pteFlags }: EntryState): { pmd: string; pte: string } {
  const kind = PMD_WORDS[pmd] ?? "?";
  const isMap = pmd === PMD.HUGE || pmd === PMD.HUGE_ZERO;
  return {
    pmd: isMap ? `${kind}: ${flagWords(pmdFlags)}` : kind,
    pte: pmd === PMD.TABLE ? flagWords(pteFlags) : "–",
  };
}

const TLB_WORDS = ["no translation", "4 KiB translation", "huge translation", "both sizes"];

/** A step in words. */
export function stepWords({ kind, what, numbers }: WalkStep): string {
  switch (kind) {
    case "enter":
      return `${what}()`;
    case "lock":
      return `take ${what}`;
    case "unlock":
      return `drop ${what}`;
    case "interrupt":
      return "wait for the interrupted CPUs";
    case "preempt":
      return "another CPU may run here";
    case "end":
      return `done: ${what}`;
    case "event":
      if (what !== "shootdown") return what;
      return (
        `TLB flush (${FLUSH_CAUSES[numbers[2]!] ?? "?"}): ${numbers[0]} pages, ` +
        `${numbers[1]} CPUs interrupted`
      );
  }
}

/** Locks that the path holds after a step, in the order in which it took them. */
export function heldAfter(course: WalkCourse, at: number): string[] {
  const held: string[] = [];
  for (const { kind, what } of course.slice(0, at + 1)) {
    if (kind === "lock") held.push(what);
    else if (kind === "unlock") held.splice(held.lastIndexOf(what), 1);
  }
  return held;
}

export const costOf = (course: WalkCourse, at: number): number =>
  (course[at + 1]?.atNs ?? course[at]!.atNs) - course[at]!.atNs;

function Entries({ before, now }: { before: EntryState; now: EntryState }) {
  const [first, last] = [entryWords(before), entryWords(now)];
  return (
    <table class="entries">
      <thead>
        <tr>
          <td />
          <th scope="col">before the fault</th>
          <th scope="col">after this step</th>
        </tr>
      </thead>
      <tbody>
        {(["pmd", "pte"] as const).map((level) => (
          <tr key={level}>
            <th scope="row">{level.toUpperCase()}</th>
            <td>{first[level]}</td>
            <td class={first[level] === last[level] ? "" : "changed"}>{last[level]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Axis({ course }: { course: WalkCourse }) {
  const total = course.at(-1)!.atNs;
  return (
    <Chart
      name="walk"
      label={`The steps of the fault over ${formatTime(total)}`}
      height={92}
      paint={(s, size, theme) =>
        paintWalk(s, size, theme, { course, at: Math.min(step.value, course.length - 1) })
      }
      onPointer={(pointer, x, _y, { width }) => {
        if (pointer.type !== "pointerdown") return;
        const ns = ((x - 12) / (width - 24)) * total;
        goToStep(
          course.findLastIndex(({ atNs }) => atNs <= ns),
          course.length,
        );
      }}
    />
  );
}

function StepList({ course, at }: { course: WalkCourse; at: number }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it is stepped through by keys
    <ol class="steps" tabIndex={0} aria-label="Steps" onKeyDown={stepKeys(course.length)}>
      {course.map((each, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the list around it takes the keys
        <li
          key={`${each.what} ${i}`}
          class={`${each.kind}${i === at ? " now" : ""}`}
          aria-current={i === at ? "step" : undefined}
          onClick={() => goToStep(i, course.length)}
        >
          <span class="what">{stepWords(each)}</span>
          <span class="cost">{costOf(course, i) === 0 ? "" : formatTime(costOf(course, i))}</span>
        </li>
      ))}
    </ol>
  );
}

function StateAfter({ course, at }: { course: WalkCourse; at: number }) {
  const held = heldAfter(course, at);
  const { entry, tlb, firstCpu } = course[at]!;
  return (
    <div class="state">
      <h3>Page-table entries</h3>
      <Entries before={course[0]!.entry} now={entry} />
      <h3>Locks held</h3>
      <p>{held.length === 0 ? "none" : held.join(", ")}</p>
      <h3>TLBs</h3>
      <ul class="plain">
        {tlb.map((has, place) => (
          <li key={place}>
            CPU {firstCpu + place}: {TLB_WORDS[has]}
          </li>
        ))}
      </ul>
      <h3>Cost of this step</h3>
      <p>
        {formatTime(costOf(course, at))} of {formatTime(course.at(-1)!.atNs)}
      </p>
    </div>
  );
}

export function Steps({ course }: { course: WalkCourse }) {
  const at = Math.min(step.value, course.length - 1);
  const now = course[at]!;
  const place = `step ${at + 1} of ${course.length}, ${formatTime(now.atNs)} into the fault: `;
  return (
    <>
      <Axis course={course} />
      <Stepper count={course.length} told={place + stepWords(now)} />
      <div class="steps-and-state">
        <StepList course={course} at={at} />
        <StateAfter course={course} at={at} />
      </div>
    </>
  );
}
