/** Keys that work everywhere on the page; lists and the map take theirs first. */
import { sampleAt } from "./model/samples.ts";
import * as state from "./state.ts";

const inText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) &&
  !/^(radio|checkbox)$/.test((target as HTMLInputElement).type);

/** Moves the time cursor by one sample. */
function stepCursor(by: number): void {
  const recording = state.recording.value;
  const times = recording?.map.frameNs ?? state.column.value?.result.series.tNs;
  if (times === undefined || times.length === 0) return;
  const at = sampleAt(times, state.cursorNs.value) + by;
  state.moveCursor(times[Math.max(0, Math.min(times.length - 1, at))]!);
}

function stepOrPan(by: number): void {
  const { value } = state.view;
  if (value === "walk" || value === "race") {
    const recording = state.recording.value;
    const course = recording?.courses[recording.events.course[state.event.value]!];
    const count = value === "race" ? state.race.value?.steps.length : course?.length;
    if (count !== undefined) state.step.value = Math.max(0, Math.min(count - 1, state.step.value + by));
  } else if (value === "map") stepCursor(by);
  else state.panTime(by * 0.12);
}

const ACTIONS: Readonly<Record<string, () => void>> = {
  "[": () => state.showColumn(state.selected.value - 1),
  "]": () => state.showColumn(state.selected.value + 1),
  w: () => state.zoomTime(0.7, state.cursorNs.value),
  s: () => state.zoomTime(1 / 0.7, state.cursorNs.value),
  a: () => state.panTime(-0.12),
  d: () => state.panTime(0.12),
  ",": () => stepCursor(-1),
  ".": () => stepCursor(1),
  "0": () => {
    state.range.value = undefined;
  },
  ArrowLeft: () => stepOrPan(-1),
  ArrowRight: () => stepOrPan(1),
  Enter: () => stepOrPan(1),
  t: () => {
    state.theme.value = state.theme.value === "dark" ? "light" : "dark";
  },
  "?": () => {
    state.helpOpen.value = !state.helpOpen.value;
  },
};

export function listenToKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || inText(event.target)) return;
    if (event.key === "Enter" && (event.target as Element | null)?.closest("button, a, summary") !== null)
      return;
    const view = state.VIEWS[Number(event.key) - 1];
    if (view !== undefined) {
      event.preventDefault();
      state.view.value = view;
      return;
    }
    const action = ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}
