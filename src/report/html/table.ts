/**
 * The comparison as an HTML table: figures with what they mean, differences in words as well as in colour.
 */
import { formatFigure, formatRelative } from "../format.ts";
import type { Cell, Row, RowGroup } from "../table.ts";
import { escapeText } from "./markup.ts";

/** The mark of a verdict: a sign for the eye, a word for a reader's voice. */
function relativeOf(cell: Cell): string {
  const { verdict } = cell;
  const judged = verdict === "better" || verdict === "worse";
  const text = judged && cell.relative === undefined ? "from 0" : formatRelative(cell.relative);
  if (text === "") return '<span class="relative"></span>';
  if (!judged) return `<span class="relative"><span class="plain">${text}</span></span>`;
  const sign = verdict === "better" ? "✓" : "▲";
  const spoken = `<span class="hidden">${verdict}</span>`;
  return (
    `<span class="relative"><span class="${verdict}">` +
    `<span aria-hidden="true" style="padding:0">${sign}</span> ${text}${spoken}</span></span>`
  );
}

/** Columns that are somewhere different from the first: only these leave room for differences. */
function differing(groups: readonly RowGroup[], columns: number): boolean[] {
  const rows = groups.flatMap((group) => group.rows);
  return Array.from({ length: columns }, (_, i) => {
    return rows.some(({ cells }) => relativeOf(cells[i]!) !== '<span class="relative"></span>');
  });
}

function rowOf(row: Row, differs: readonly boolean[]): string {
  const first = `<th scope="row" title="${escapeText(row.doc)}">${escapeText(row.label)}</th>`;
  const cells = row.cells.map((cell, i) => {
    return `<td>${formatFigure(row.kind, cell.value)}${differs[i] === true ? relativeOf(cell) : ""}</td>`;
  });
  return `<tr>${first}${cells.join("")}</tr>`;
}

function groupOf(group: RowGroup, differs: readonly boolean[]): string {
  const span = differs.length + 1;
  const title =
    group.title === ""
      ? ""
      : `<tr class="group"><th scope="rowgroup" colspan="${span}">${escapeText(group.title)}</th></tr>`;
  return `<tbody>${title}${group.rows.map((row) => rowOf(row, differs)).join("\n")}</tbody>`;
}

/** Names may break behind commas, and on a phone behind any sign, or it would show one column only. */
function breakable(name: string): string {
  return escapeText(name).replace(/[=_/]/g, '$&<wbr class="tight">').replaceAll(",", ",<wbr>");
}

export function drawTable(groups: readonly RowGroup[], names: readonly string[], caption: string): string {
  const differs = differing(groups, names.length);
  const head = names.map((name) => `<th scope="col">${breakable(name)}</th>`).join("");
  return (
    `<div class="scroll" tabindex="0" role="region" aria-label="${escapeText(caption)}"><table>` +
    `<caption class="hidden">${escapeText(caption)}</caption>` +
    `<thead><tr><th scope="col"><span class="hidden">figure</span></th>${head}</tr></thead>\n` +
    `${groups.map((group) => groupOf(group, differs)).join("\n")}</table></div>`
  );
}
