/** Fault walk: the list of events, and the steps of the fault that is selected. */
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { EVENT } from "../../core/events.ts";
import type { Recording } from "../../metrics/recording.ts";
import { describeEvent, pageOfEvent } from "../../report/events.ts";
import { formatFigure, formatTime } from "../../report/format.ts";
import { nameOfMm } from "../draw/page-map.ts";
import { byCode, chosen, faultKindsOf, LANES } from "../model/events.ts";
import { announcement, cursorNs, event, recording, showEvent } from "../state.ts";
import { ColumnChoice, NotRecorded } from "./parts.tsx";
import { Steps } from "./steps.tsx";

const ROW_HEIGHT = 24;
const LIST_HEIGHT = 560;
/** Browsers lay out no more than some ten million pixels: longer lists scroll by share. */
const SCROLL_MAX = 8_000_000;

/** Whose event it is: the process as it is called by now, or a daemon. */
function whoOf({ events, tasks, mms }: Recording, i: number): string {
  const task = tasks[events.task[i]!];
  return task === undefined ? "" : task.mm < 0 ? task.name : nameOfMm(mms[task.mm]);
}

/** An event as the columns of the list show it. */
function cellsOf(recorded: Recording, i: number) {
  const { events } = recorded;
  const page = pageOfEvent(events, i);
  return {
    time: formatTime(events.tNs[i]!),
    what: describeEvent(recorded, i),
    where: page === undefined ? "" : `0x${(page * 4096).toString(16)}`,
    who: whoOf(recorded, i),
    cpu: `CPU ${events.cpu[i]}`,
  };
}

/** The same in one line. */
function rowText(recorded: Recording, i: number): string {
  const { time, what, where, who, cpu } = cellsOf(recorded, i);
  return `${time}  ${what}${where === "" ? "" : ` at ${where}`}  ${who}, ${cpu}`;
}

/** Place in the list of the event, or of the last one before it. */
function placeOf(list: Uint32Array, index: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]! <= index) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** Rows and pixels of a list of which only a part is seen. */
interface Window {
  readonly tall: number;
  readonly rows: number;
  readonly last: number;
  readonly rowsPerPixel: number;
}

function windowOf(length: number): Window {
  const tall = Math.min(SCROLL_MAX, length * ROW_HEIGHT);
  const rows = Math.ceil(LIST_HEIGHT / ROW_HEIGHT) + 1;
  const last = Math.max(0, length - rows + 1);
  return { tall, rows, last, rowsPerPixel: tall > LIST_HEIGHT ? last / (tall - LIST_HEIGHT) : 0 };
}

/** Keys of the list: the event before or behind, a page up or down. */
function listKeys(recorded: Recording, list: Uint32Array, rows: number): (key: KeyboardEvent) => void {
  const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: rows - 2, PageUp: 2 - rows };
  return (key) => {
    const by = steps[key.key as keyof typeof steps];
    if (by === undefined || key.ctrlKey || key.metaKey) return;
    key.preventDefault();
    key.stopPropagation();
    const at = event.value < 0 ? -1 : placeOf(list, event.value);
    const next = list[Math.max(0, Math.min(list.length - 1, at + by))];
    if (next === undefined) return;
    showEvent(next);
    announcement.value = rowText(recorded, next);
  };
}

function EventRow({ recorded, i }: { recorded: Recording; i: number }) {
  const { time, what, where, who, cpu } = cellsOf(recorded, i);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list box around it takes the keys
    <div
      id={`event-${i}`}
      tabIndex={-1}
      role="option"
      aria-selected={event.value === i}
      class={recorded.events.code[i] === EVENT.fault ? "fault" : ""}
      style={{ height: `${ROW_HEIGHT}px` }}
      onClick={() => showEvent(i)}
    >
      <span class="time">{time}</span>
      <span title={what}>{what}</span>
      <span>{where}</span>
      <span title={who}>{who}</span>
      <span>{cpu}</span>
    </div>
  );
}

/** A list of any length: only the rows that are seen exist. */
function EventList({ recorded, list }: { recorded: Recording; list: Uint32Array }) {
  const box = useRef<HTMLDivElement>(null);
  const scrolled = useSignal(0);
  const { tall, rows, last, rowsPerPixel } = windowOf(list.length);
  const first = Math.min(last, Math.floor(scrolled.value * rowsPerPixel));
  /** Scrolls to the event that is selected, unless it is seen already. */
  const follow = (): void => {
    const element = box.current;
    if (element === null || rowsPerPixel === 0 || event.value < 0) return;
    const row = placeOf(list, event.value);
    const from = Math.floor(element.scrollTop * rowsPerPixel);
    const seen = row >= from && row < from + rows - 2;
    if (!seen) element.scrollTop = Math.max(0, row - rows / 3) / rowsPerPixel;
  };
  useSignalEffect(follow);
  useEffect(follow, [list]);
  return (
    <div
      ref={box}
      class="events"
      role="listbox"
      tabIndex={0}
      aria-label={`Events, ${list.length} of them`}
      aria-activedescendant={event.value >= 0 ? `event-${event.value}` : undefined}
      style={{ height: `${LIST_HEIGHT}px` }}
      onScroll={(scroll) => {
        scrolled.value = scroll.currentTarget.scrollTop;
      }}
      onKeyDown={listKeys(recorded, list, rows)}
    >
      <div style={{ height: `${tall}px` }}>
        <div class="seen">
          {Array.from(list.subarray(first, first + rows), (i) => (
            <EventRow key={i} recorded={recorded} i={i} />
          ))}
        </div>
      </div>
    </div>
  );
}

function Chosen({ recorded }: { recorded: Recording }) {
  const i = event.value;
  const { events, courses } = recorded;
  if (i < 0) {
    return (
      <p class="note">
        Choose a fault in the list: click it, or go with ↑ and ↓. The steps of the kernel's path appear here.
      </p>
    );
  }
  const page = pageOfEvent(events, i);
  const course = courses[events.course[i]!];
  const frameText = (frame: number): string => (frame < 0 ? "none" : String(frame));
  return (
    <>
      <h2>{describeEvent(recorded, i)}</h2>
      <p class="note">
        {formatTime(events.tNs[i]!)}, {whoOf(recorded, i)}, CPU {events.cpu[i]}
        {page === undefined ? "" : `, page 0x${(page * 4096).toString(16)}`}
        {events.code[i] === EVENT.fault
          ? `, frame ${frameText(events.before[i]!)} before, ${frameText(events.after[i]!)} after`
          : ""}
      </p>
      {course === undefined ? (
        <p>
          {events.code[i] === EVENT.fault
            ? "The steps of this fault were not kept: there were too many faults or courses."
            : "This event has no steps of its own; faults do."}
        </p>
      ) : (
        <Steps key={`${i}`} course={course} />
      )}
    </>
  );
}

export function WalkView() {
  const recorded = recording.value;
  const choice = useSignal("fault");
  const kinds = useMemo(() => (recorded === undefined ? [] : faultKindsOf(recorded)), [recorded]);
  const list = useMemo(
    () => (recorded === undefined ? new Uint32Array(0) : chosen(recorded, choice.value)),
    [recorded, choice.value],
  );
  if (recorded === undefined) return <NotRecorded />;
  const lanes = LANES.filter(({ code }) => byCode(recorded.events)[code]!.length > 0);
  const toCursor = (): void => {
    const { tNs } = recorded.events;
    const at = list.findIndex((i) => tNs[i]! >= cursorNs.value);
    showEvent(list[at < 0 ? list.length - 1 : at] ?? -1);
  };
  return (
    <section aria-label="Fault walk">
      <div class="toolbar">
        <ColumnChoice />
        <label class="choice">
          Events{" "}
          <select value={choice.value} onChange={(change) => (choice.value = change.currentTarget.value)}>
            <option value="all">all</option>
            {lanes.map(({ key, label }) => (
              <option key={key} value={key}>
                {label}
              </option>
            ))}
            {kinds.map((kind) => (
              <option key={kind} value={kind}>
                faults: {kind}
              </option>
            ))}
          </select>
        </label>
        <button type="button" onClick={toCursor}>
          Go to the time cursor
        </button>
        <p class="note">
          {formatFigure("count", list.length)} events
          {recorded.events.dropped === 0
            ? ""
            : `; ${formatFigure("count", recorded.events.dropped)} more were left out of this page`}
        </p>
      </div>
      <div class="walk">
        <EventList recorded={recorded} list={list} />
        <div class="steps-panel">
          <Chosen recorded={recorded} />
        </div>
      </div>
    </section>
  );
}
