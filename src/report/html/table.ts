/**
 * The comparison as an HTML table: figures with what they mean, differences in words as well as in colour.
 */
import { formatFigure, formatRelative } from "../format.ts";
import type { Cell, Row, RowGroup } from "../table.ts";
import { escapeText } from "./markup.ts";

/** The mark of a verdict: a sign for the eye, a word for a reader's voice. */
function relativeOf(cell: Cell): string {
  const { verdict } = cell;
  const fromNothing = cell.relative === undefined && (verdict === "better" || verdict === "worse");
  const text = fromNothing ? "from 0" : formatRelative(cell.relative);
  if (text === "") return "";
  if (verdict !== "better" && verdict !== "worse") {
    return `<span class="relative"><span class="plain">${text}</span></span>`;
  }
  const sign = verdict === "better" ? "✓" : "▲";
  const spoken = `<span class="hidden">${verdict}</span>`;
  return (
    `<span class="relative"><span class="${verdict}">` +
    `<span aria-hidden="true" style="padding:0">${sign}</span> ${text}${spoken}</span></span>`
  );
}

function rowOf(row: Row): string {
  const first = `<th scope="row" title="${escapeText(row.doc)}">${escapeText(row.label)}</th>`;
  const cells = row.cells.map((cell, i) => {
    return `<td>${formatFigure(row.kind, cell.value)}${i === 0 ? "" : relativeOf(cell)}</td>`;
  });
  return `<tr>${first}${cells.join("")}</tr>`;
}

function groupOf(group: RowGroup, columns: number): string {
  const title =
    group.title === ""
      ? ""
      : `<tr class="group"><th scope="rowgroup" ` +
        `colspan="${columns + 1}">${escapeText(group.title)}</th></tr>`;
  return `<tbody>${title}${group.rows.map(rowOf).join("\n")}</tbody>`;
}

export function drawTable(groups: readonly RowGroup[], names: readonly string[], caption: string): string {
  // Names may break behind their signs, or a phone shows one column only.
  const breakable = (name: string): string => escapeText(name).replace(/[=,_/]/g, "$&<wbr>");
  const head = names.map((name) => `<th scope="col">${breakable(name)}</th>`).join("");
  return (
    `<div class="scroll" tabindex="0" role="region" aria-label="${escapeText(caption)}"><table>` +
    `<caption class="hidden">${escapeText(caption)}</caption>` +
    `<thead><tr><th scope="col"><span class="hidden">figure</span></th>${head}</tr></thead>\n` +
    `${groups.map((group) => groupOf(group, names.length)).join("\n")}</table></div>`
  );
}
