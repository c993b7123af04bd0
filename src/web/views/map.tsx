/** Address map: a cell for each region, its pages inside, scrubbed through time. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { formatBytes, formatTime } from "../../report/format.ts";
import { themeNow } from "../draw/chart.tsx";
import { colourOfState, heatColour } from "../draw/page-map.ts";
import { openPages, type PagesNow } from "../model/page-map.ts";
import { sampleAt } from "../model/samples.ts";
import { cursorNs, MAP_COLOURS, mapColour, moveCursor, recording, selected } from "../state.ts";
import type { Theme } from "../theme.ts";
import { MapCanvas } from "./map-canvas.tsx";
import { ColumnChoice, NotRecorded } from "./parts.tsx";

const LEGEND: readonly (readonly [name: string, state: number])[] = [
  ["absent", 0],
  ["base pages", 1 | 8],
  ["huge page", 2 | 8],
  ["huge, never touched", 2],
  ["reserved", 3],
  ["shared after fork", 1 | 8 | 16],
  ["file", 4],
  ["zero page", 6],
  ["swapped", 5],
];

function Legend({ nodes, colours }: { nodes: number; colours: Theme }) {
  const key = (name: string, colour: string) => (
    <li key={name}>
      <span class="key" style={{ background: colour }} />
      {name}
    </li>
  );
  const { value } = mapColour;
  if (value === "heat") {
    return (
      <ul class="legend">
        {[0, 0.33, 0.66, 1].map((share, i) =>
          key(["no reference", "few", "many", "most references"][i]!, heatColour(colours, share)),
        )}
        <li class="note">between this look and the one before, logarithmic</li>
      </ul>
    );
  }
  return (
    <ul class="legend">
      {value === "node"
        ? Array.from({ length: nodes }, (_, node) => key(`node ${node}`, colours.nodes[node]!))
        : LEGEND.map(([name, state]) => key(name, colourOfState(colours, "state", state)))}
    </ul>
  );
}

/** Moves through the looks of the map. */
function Scrubber({ pages }: { pages: PagesNow }) {
  const { frameNs } = pages.recording.map;
  const playing = useSignal(false);
  const frame = sampleAt(frameNs, cursorNs.value);
  useEffect(() => {
    if (!playing.value) return;
    const timer = setInterval(() => {
      const next = sampleAt(frameNs, cursorNs.peek()) + 1;
      if (next < frameNs.length) moveCursor(frameNs[next]!);
      else playing.value = false;
    }, 60);
    return () => clearInterval(timer);
  }, [playing.value]);
  return (
    <div class="scrubber">
      <button
        type="button"
        onClick={() => {
          if (!playing.value && frame === frameNs.length - 1) moveCursor(0);
          playing.value = !playing.value;
        }}
      >
        {playing.value ? "Pause" : "Play"}
      </button>
      <input
        type="range"
        aria-label="Time"
        aria-valuetext={formatTime(frameNs[frame] ?? 0)}
        min={0}
        max={frameNs.length - 1}
        value={frame}
        onInput={(event) => moveCursor(frameNs[Number(event.currentTarget.value)]!)}
      />
      <output>
        {formatTime(frameNs[frame] ?? 0)} (look {frame + 1} of {frameNs.length})
      </output>
    </div>
  );
}

export function MapView() {
  const recorded = recording.value;
  const pages = useMemo(() => (recorded === undefined ? undefined : openPages(recorded)), [recorded]);
  if (recorded === undefined || pages === undefined) return <NotRecorded />;
  return (
    <section aria-label="Address map">
      <div class="toolbar">
        <ColumnChoice />
        <fieldset>
          <legend class="hidden">Colour by</legend>
          {MAP_COLOURS.map((name) => (
            <label key={name}>
              <input
                type="radio"
                name="map-colour"
                checked={mapColour.value === name}
                onChange={() => (mapColour.value = name)}
              />{" "}
              {name}
            </label>
          ))}
        </fieldset>
        <p class="note">
          A cell is {formatBytes(recorded.pagesPerHuge * 4096)}; zoom in to see its pages. Wheel zooms,
          dragging moves, a click selects.
        </p>
      </div>
      <Legend nodes={recorded.nodes} colours={themeNow()} />
      {recorded.map.complete ? null : (
        <p class="warning">There was no room for all changes: the map ends before the run does.</p>
      )}
      <Scrubber pages={pages} />
      <MapCanvas key={selected.value} pages={pages} />
    </section>
  );
}
