/** Timeline: memory by kind, rates, events and daemons over time, all on one axis. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Recording } from "../../metrics/recording.ts";
import { formatBytes, formatTime } from "../../report/format.ts";
import type { Column } from "../../report/table.ts";
import { Chart, type ChartProps } from "../draw/chart.tsx";
import { LEFT, timeOfX } from "../draw/time.ts";
import { DASHES, paintLanes, paintMemory, paintRates, type RateLines } from "../draw/timeline.ts";
import { byCode, LANES, type Lane, tellStrip } from "../model/events.ts";
import { countedOf, localShareOf, memoryOf, RATES, sampleAt } from "../model/samples.ts";
import {
  columns,
  cursorNs,
  moveCursor,
  selected,
  showColumn,
  showRange,
  timeRange,
  zoomTime,
} from "../state.ts";
import { Cursor } from "./cursor.tsx";

const MEMORY_HEIGHT = 150;
const RATE_HEIGHT = 84;
const LANE_HEIGHT = 15;

/** Pointer and wheel of a chart over time: move, drag to zoom, wheel to zoom at the pointer. */
function useTimePointer(): Pick<ChartProps, "onPointer" | "onWheel" | "onLeave"> & {
  readonly drag: { readonly value: readonly [number, number] | undefined };
} {
  const drag = useSignal<readonly [number, number] | undefined>(undefined);
  return {
    drag,
    onPointer(event, x, _y, { width }) {
      const ns = timeOfX(timeRange.value, width, x);
      if (event.type === "pointerdown" && x >= LEFT) {
        drag.value = [ns, ns];
        (event.target as Element).setPointerCapture(event.pointerId);
      } else if (event.type === "pointerup") {
        const [from, to] = drag.value ?? [ns, ns];
        const [span] = [Math.abs(to - from)];
        const [start, end] = timeRange.value;
        if (span > (end - start) * 0.01) showRange(Math.min(from, to), Math.max(from, to));
        drag.value = undefined;
      } else if (drag.value !== undefined) drag.value = [drag.value[0], ns];
      moveCursor(ns);
    },
    onWheel(event, x, _y, { width }) {
      const factor = Math.exp(Math.max(-1, Math.min(1, event.deltaY / 240)));
      zoomTime(factor, timeOfX(timeRange.value, width, x));
    },
  };
}

function MemoryNow({ column }: { column: Column }) {
  const memory = useMemo(() => memoryOf(column), [column]);
  const at = sampleAt(memory.tNs, cursorNs.value);
  const over = cursorNs.value > column.result.runNs;
  return (
    <ul class="legend">
      {memory.layers.map(({ kind, kb }) => (
        <li key={kind}>
          <span class={`key memory-${kind}`} />
          {kind.replace("-", " ")} <b>{over ? "ended" : formatBytes(kb[at]! * 1024)}</b>
        </li>
      ))}
      <li>
        <span class="key line" />
        touched <b>{over ? "ended" : formatBytes(memory.touchedKb[at]! * 1024)}</b>
      </li>
      {memory.freeKb === undefined ? null : (
        <li>
          free <b>{over ? "ended" : formatBytes(memory.freeKb[at]! * 1024)}</b>
        </li>
      )}
    </ul>
  );
}

/** What the pointer is over in the strips of events: where it is, and in words. */
interface Tip {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** A part of its own, so that no chart is drawn anew when the pointer moves. */
function TipNow({ tip }: { tip: { readonly value: Tip | undefined } }) {
  const now = tip.value;
  if (now === undefined) return null;
  return (
    <div class="tip" aria-hidden="true" style={{ left: `${now.x}px`, top: `${now.y}px` }}>
      {now.text}
    </div>
  );
}

/** Pixels around the pointer whose events are counted. */
const TIP_PIXELS = 4;

/** The strips of one run: events by kind, and daemons. */
function Strips(props: {
  column: Column;
  index: number;
  recording: Recording;
  lanes: readonly Lane[];
  pointer: ReturnType<typeof useTimePointer>;
}) {
  const { column, index, recording, lanes, pointer } = props;
  const tip = useSignal<Tip | undefined>(undefined);
  const height = (lanes.length + recording.tracks.length) * LANE_HEIGHT;
  return (
    <div class="strips">
      <Chart
        name={`events-${index + 1}`}
        label={`Events and daemons over time under ${column.name}`}
        height={height + 4}
        paint={(s, size, theme) =>
          paintLanes(s, size, theme, { recording, lanes, span: timeRange.value, laneHeight: LANE_HEIGHT })
        }
        {...pointer}
        onPointer={(event, x, y, size) => {
          pointer.onPointer?.(event, x, y, size);
          const [from, to] = [x - TIP_PIXELS / 2, x + TIP_PIXELS / 2].map((each) =>
            timeOfX(timeRange.value, size.width, each),
          ) as [number, number];
          const text = x < LEFT ? "" : tellStrip(recording, lanes, Math.floor(y / LANE_HEIGHT), from, to);
          const left = Math.max(0, Math.min(x + 12, size.width - 260));
          tip.value = text === "" ? undefined : { x: left, y: y + 16, text };
        }}
        onLeave={() => (tip.value = undefined)}
      />
      <TipNow tip={tip} />
    </div>
  );
}

function ColumnOverTime({ column, index, mostKb }: { column: Column; index: number; mostKb: number }) {
  const pointer = useTimePointer();
  const memory = useMemo(() => memoryOf(column), [column]);
  const { recording } = column;
  const lanes = useMemo(() => {
    if (recording === undefined) return [];
    const lists = byCode(recording.events);
    return LANES.filter(({ code }) => lists[code]!.length > 0);
  }, [recording]);
  const peak = formatBytes(column.result.peakRssSumKb * 1024);
  return (
    <section class={selected.value === index ? "chosen" : ""} aria-label={column.name}>
      <h2>
        <button type="button" onClick={() => showColumn(index)} aria-pressed={selected.value === index}>
          <span class="key" style={{ background: `var(--c${index % 8})` }} />
          {column.name}
        </button>
      </h2>
      <MemoryNow column={column} />
      <div class="over-time">
        <Chart
          name={`memory-${index + 1}`}
          label={`Memory by kind over time under ${column.name}; resident at most ${peak}`}
          height={MEMORY_HEIGHT}
          paint={(s, size, theme) => paintMemory(s, size, theme, { memory, span: timeRange.value, mostKb })}
          {...pointer}
        />
        {recording === undefined || lanes.length + recording.tracks.length === 0 ? null : (
          <Strips column={column} index={index} recording={recording} lanes={lanes} pointer={pointer} />
        )}
        <Cursor drag={pointer.drag} />
      </div>
    </section>
  );
}

function ratesOf(all: readonly Column[]): RateLines[] {
  const rates: RateLines[] = RATES.map(({ label, key, counters }) => ({
    key,
    label: `${label} a second`,
    kind: "rate" as const,
    lines: all.map((column) => countedOf(column, counters)),
  }));
  rates.push({ key: "local", label: "local share", kind: "share", lines: all.map(localShareOf) });
  return rates.filter(({ lines }) => lines.some((line) => line !== undefined));
}

function Rates({ all }: { all: readonly Column[] }) {
  const pointer = useTimePointer();
  const rates = useMemo(() => ratesOf(all), [all]);
  if (rates.length === 0) {
    return <p class="note">These results were not recorded step by step: rates are not known.</p>;
  }
  return (
    <section aria-label="Rates">
      <h2>Rates</h2>
      <ul class="legend">
        {all.map(({ name }, i) => (
          <li key={name}>
            <svg width="34" height="10" aria-hidden="true">
              <line
                x1="0"
                x2="34"
                y1="5"
                y2="5"
                stroke={`var(--c${i % 8})`}
                stroke-width="2"
                stroke-dasharray={DASHES[i % 8]!.join(" ")}
              />
            </svg>{" "}
            {name}
          </li>
        ))}
      </ul>
      <div class="over-time">
        {rates.map((rate) => (
          <Chart
            key={rate.key}
            name={`rate-${rate.key}`}
            label={`${rate.label} over time, a line for each column`}
            height={RATE_HEIGHT}
            paint={(s, size, theme) => paintRates(s, size, theme, { rate, span: timeRange.value })}
            {...pointer}
          />
        ))}
        <Cursor drag={pointer.drag} />
      </div>
    </section>
  );
}

/** A part of its own: it is rendered anew with every move of the cursor, the charts are not. */
function Where() {
  return (
    <p class="note">
      At <b>{formatTime(cursorNs.value)}</b> of {formatTime(timeRange.value[1] - timeRange.value[0])} shown.
      Wheel zooms at the pointer, dragging selects a part, 0 shows all. Strips below a chart are events: the
      stronger the colour, the more of them.
    </p>
  );
}

export function TimelineView() {
  const all = columns.value;
  const mostKb = useMemo(
    () =>
      Math.max(
        1,
        ...all.map((column) => {
          const { layers, tNs } = memoryOf(column);
          let most = 0;
          for (let i = 0; i < tNs.length; i++) {
            most = Math.max(
              most,
              layers.reduce((sum, { kb }) => sum + kb[i]!, 0),
            );
          }
          return most;
        }),
      ),
    [all],
  );
  return (
    <>
      <Where />
      {all.map((column, i) => (
        <ColumnOverTime key={column.name} column={column} index={i} mostKb={mostKb} />
      ))}
      <Rates all={all} />
    </>
  );
}
