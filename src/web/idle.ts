/**
 * What views will need is made while nothing else is to be done, so that opening a view of a large run is not
 * the moment at which ten million events are sorted.
 */
import { effect } from "@preact/signals";
import { sortingOf } from "./model/events.ts";
import { openingOf } from "./model/page-map.ts";
import { recording } from "./state.ts";

/** Milliseconds of idle time that are left alone. */
const SPARE_MS = 3;
/** Where a browser does not tell of idle time: work so long, and as long a pause. */
const TURN_MS = 6;

interface Deadline {
  timeRemaining(): number;
}

function later(run: (deadline: Deadline) => void): () => void {
  if (typeof requestIdleCallback === "function") {
    const asked = requestIdleCallback(run);
    return () => cancelIdleCallback(asked);
  }
  const timer = setTimeout(() => {
    const began = performance.now();
    run({ timeRemaining: () => TURN_MS + SPARE_MS - (performance.now() - began) });
  }, TURN_MS);
  return () => clearTimeout(timer);
}

/** Does the works one behind the other, bit by bit; answers with what ends that. */
function inIdleTime(works: readonly Iterator<void>[]): () => void {
  let [at, stop] = [0, (): void => {}];
  const turn = (deadline: Deadline): void => {
    while (at < works.length && deadline.timeRemaining() > SPARE_MS) {
      if (works[at]!.next().done === true) at++;
    }
    if (at < works.length) stop = later(turn);
  };
  stop = later(turn);
  return () => stop();
}

/** Prepares the views of whatever column is selected, from now on. */
export function prepareViews(): void {
  effect(() => {
    const recorded = recording.value;
    if (recorded === undefined) return;
    return inIdleTime([sortingOf(recorded.events), openingOf(recorded)]);
  });
}
