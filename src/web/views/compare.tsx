/** Compare: the answer in words, the table, and how long faults took, column by column. */
import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { answerOf } from "../../report/answer.ts";
import { formatFigure, formatRelative, formatTime } from "../../report/format.ts";
import { latencyBins } from "../../report/latency.ts";
import { type Cell, type Column, counterRows, type Row, type RowGroup, tableOf } from "../../report/table.ts";
import { trustNotes } from "../../report/trust.ts";
import { Chart } from "../draw/chart.tsx";
import { latencyScale, paintLatency } from "../draw/latency.ts";
import { base, columns, selected, showColumn, shown } from "../state.ts";
import { ThresholdStudy } from "./thresholds.tsx";

const raw = signal(false);
const counters = signal(false);

const MARKS = { best: "▲ best", worst: "▼ worst" } as const;

function FigureCell({ row, cell, index }: { row: Row; cell: Cell; index: number }) {
  const text = formatFigure(row.kind, cell.value, raw.value ? "raw" : "human");
  const relative = formatRelative(cell.relative);
  const value = cell.value === undefined ? "" : String(cell.value);
  return (
    <td class={cell.mark ?? ""} data-key={row.key} data-column={index} data-value={value}>
      <span class="figure">{text === "" ? "–" : text}</span>
      <span class={`relative ${cell.verdict}`}>
        {relative}
        {cell.verdict === "better" || cell.verdict === "worse" ? (
          <span class="hidden"> {cell.verdict}</span>
        ) : null}
      </span>
      <span class="mark">{cell.mark === undefined ? "" : MARKS[cell.mark]}</span>
    </td>
  );
}

function Group({ group }: { group: RowGroup }) {
  return (
    <>
      <tr class="group">
        <th scope="colgroup" colSpan={columns.value.length + 1}>
          {group.title}
        </th>
      </tr>
      {group.rows.map((row) => (
        <tr key={row.key}>
          <th scope="row" title={row.doc}>
            {row.label}
          </th>
          {row.cells.map((cell, i) => (
            <FigureCell key={row.key + i} row={row} cell={cell} index={i} />
          ))}
        </tr>
      ))}
    </>
  );
}

function Table({ all }: { all: readonly Column[] }) {
  const groups = tableOf(all, base.value);
  const shownGroups = counters.value
    ? [...groups, { title: "counters of /proc/vmstat", rows: counterRows(all, base.value) }]
    : groups;
  return (
    <div class="scroll">
      <table class="comparison">
        <caption class="hidden">Figures of each run, in relation to {all[base.value]?.name}</caption>
        <thead>
          <tr>
            <td>
              <label>
                <input
                  type="checkbox"
                  checked={raw.value}
                  onChange={(event) => (raw.value = event.currentTarget.checked)}
                />{" "}
                plain numbers
              </label>{" "}
              <label>
                <input
                  type="checkbox"
                  checked={counters.value}
                  onChange={(event) => (counters.value = event.currentTarget.checked)}
                />{" "}
                counters
              </label>
            </td>
            {all.map(({ name }, i) => (
              <th key={name} scope="col" style={`--bar: var(--c${i % 8})`}>
                {name}
                {all.length < 2 ? null : (
                  <button
                    type="button"
                    class="base"
                    aria-pressed={base.value === i}
                    title="Relate all columns to this one"
                    onClick={() => (base.value = i)}
                  >
                    {base.value === i ? "compared with" : "compare with this"}
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shownGroups.map((group) => (
            <Group key={group.title} group={group} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Latencies({ all }: { all: readonly Column[] }) {
  const bins = useMemo(() => all.map(({ result }) => latencyBins(result.faultsAll)), [all]);
  const scale = useMemo(() => latencyScale(bins), [bins]);
  return (
    <div class="multiples">
      {all.map((column, i) => {
        const { p50Ns, p99Ns, p999Ns, count } = column.result.faultsAll;
        const label =
          `${column.name}: ${count} faults, p50 ${formatTime(p50Ns)}, p99 ${formatTime(p99Ns)}, ` +
          `p99.9 ${formatTime(p999Ns)}`;
        return (
          <figure key={column.name} class={selected.value === i ? "chosen" : ""}>
            <figcaption>
              <button type="button" onClick={() => showColumn(i)} aria-pressed={selected.value === i}>
                <span class="key" style={{ background: `var(--c${i % 8})` }} />
                {column.name}
              </button>
            </figcaption>
            <Chart
              name={`latency-${i + 1}`}
              label={label}
              height={150}
              paint={(s, size, theme) => {
                const colour = theme.columns[i % 8]!;
                paintLatency(s, size, theme, { column, bins: bins[i]!, scale, colour });
              }}
            />
          </figure>
        );
      })}
    </div>
  );
}

export function CompareView() {
  const all = columns.value;
  const { command, measurements } = shown.value!;
  return (
    <>
      <section class="answer" aria-label="The answer">
        {answerOf(all).map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      </section>
      <section aria-label="Table">
        <Table all={all} />
      </section>
      <ThresholdStudy all={all} />
      <section aria-label="Fault latencies">
        <h2>How long page faults took</h2>
        <p class="note">Both axes are logarithmic. Lines mark p50, p99 and p99.9 of all faults of a run.</p>
        <Latencies all={all} />
      </section>
      <section aria-label="Trust">
        <h2>How far to trust this</h2>
        <ul>
          {trustNotes(all, measurements).map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
        {command === "" ? null : (
          <p class="note">
            Made by <code>{command}</code>
          </p>
        )}
      </section>
    </>
  );
}
