/** The address's hash: `#view=map&col=1&t=1200000&region=12`. Whoever opens it sees the same. */
import { batch, effect } from "@preact/signals";
import * as state from "./state.ts";

export interface Place {
  readonly view: state.View;
  readonly base: number;
  readonly col: number;
  /** Undefined: where the page begins. */
  readonly t: number | undefined;
  readonly range: readonly [number, number] | undefined;
  readonly colour: state.MapColour;
  readonly region: number;
  readonly event: number;
  readonly step: number;
}

/** Only what differs from the beginning is written. */
export function hashOf(p: Place): string {
  const parts = [`view=${p.view}`];
  if (p.base > 0) parts.push(`base=${p.base}`);
  if (p.col > 0) parts.push(`col=${p.col}`);
  if (p.t !== undefined) parts.push(`t=${p.t}`);
  if (p.range !== undefined) parts.push(`range=${p.range.map(Math.round).join("-")}`);
  if (p.colour !== "state") parts.push(`colour=${p.colour}`);
  if (p.region >= 0) parts.push(`region=${p.region}`);
  if (p.event >= 0) parts.push(`event=${p.event}`);
  if (p.step > 0) parts.push(`step=${p.step}`);
  return "#" + parts.join("&");
}

function whole(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : otherwise;
}

/** What a hash says; whatever it does not say, or says wrongly, is as at the beginning. */
export function placeOf(hash: string): Place {
  const said = new Map(
    hash
      .replace(/^#/, "")
      .split("&")
      .map((part) => part.split("=", 2) as [string, string | undefined]),
  );
  const range = /^(\d{1,16})-(\d{1,16})$/.exec(said.get("range") ?? "");
  const [from, to] = [Number(range?.[1]), Number(range?.[2])];
  return {
    view: state.VIEWS.find((name) => name === said.get("view")) ?? "compare",
    base: whole(said.get("base"), 0),
    col: whole(said.get("col"), 0),
    t: /^\d{1,16}$/.test(said.get("t") ?? "") ? Number(said.get("t")) : undefined,
    range: range === null || !(to > from) ? undefined : [from, to],
    colour: state.MAP_COLOURS.find((name) => name === said.get("colour")) ?? "state",
    region: whole(said.get("region"), -1),
    event: whole(said.get("event"), -1),
    step: whole(said.get("step"), 0),
  };
}

/** Puts the page where a hash says, as far as its results have such a place. */
export function goTo(place: Place): void {
  const count = state.columns.value.length;
  batch(() => {
    state.view.value = place.view;
    state.base.value = place.base < count ? place.base : 0;
    state.selected.value = place.col < count ? place.col : 0;
    const { recording } = state;
    if (place.t !== undefined) state.moveCursor(place.t);
    if (place.range === undefined) state.range.value = undefined;
    else state.showRange(...place.range);
    state.mapColour.value = place.colour;
    state.region.value = place.region < (recording.value?.map.regions.length ?? 0) ? place.region : -1;
    state.event.value = place.event < (recording.value?.events.count ?? 0) ? place.event : -1;
    state.step.value = place.step;
  });
}

/** Keeps the address in step with the page from now on. */
export function followHash(): void {
  let written = "";
  effect(() => {
    const hash = hashOf({
      view: state.view.value,
      base: state.base.value,
      col: state.selected.value,
      t: state.cursorNs.value,
      range: state.range.value,
      colour: state.mapColour.value,
      region: state.region.value,
      event: state.event.value,
      step: state.step.value,
    });
    if (state.shown.value === undefined && state.race.value === undefined) return;
    clearTimeout(timer);
    // A cursor that follows the pointer would write a thousand addresses a second; browsers refuse that.
    timer = setTimeout(() => {
      written = hash;
      history.replaceState(null, "", hash);
    }, 120);
  });
  addEventListener("hashchange", () => {
    if (location.hash !== written) goTo(placeOf(location.hash));
  });
}

let timer: ReturnType<typeof setTimeout> | undefined;
