/** The frame of a chart: size, plot area, grid, axes and their labels, as SVG text. */
import { escapeText, xy } from "./markup.ts";
import type { Axis } from "./scale.ts";

/** Charts are drawn twice, for wide and for narrow pages; the style sheet shows one of them. */
export type Width = "wide" | "narrow";

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export function frameOf(width: Width, plotHeight: number, rows = 1): Frame {
  const wide = width === "wide";
  const top = 10;
  const bottom = top + plotHeight * rows;
  const all = wide ? 920 : 350;
  return { width: all, height: bottom + 44, left: wide ? 64 : 58, right: all - 14, top, bottom };
}

/** Horizontal place of a share (0..1) of the x axis. */
export function atX(frame: Frame, share: number): number {
  return frame.left + (frame.right - frame.left) * share;
}

/** Vertical place of a share (0..1) of the y axis, from the bottom. */
export function atY(frame: Frame, share: number): number {
  return frame.bottom - (frame.bottom - frame.top) * share;
}

/** Labels whose text would touch the one before are left out. */
function xLabels(frame: Frame, axis: Axis): string {
  let free = Number.NEGATIVE_INFINITY;
  let text = "";
  for (const { value, label } of axis.ticks) {
    const x = atX(frame, value / axis.max);
    const half = label.length * 3.4 + 4;
    const centre = Math.min(x, frame.width - half);
    text += `<path class="tick" d="M${xy(x)} ${frame.bottom}v5"/>`;
    if (centre - half < free) continue;
    free = centre + half;
    text +=
      `<text class="label" text-anchor="middle" x="${xy(centre)}" ` +
      `y="${frame.bottom + 19}">${label}</text>`;
  }
  return text;
}

export function drawAxes(frame: Frame, x: Axis, y: Axis, xTitle: string): string {
  let text = "";
  for (const { value, label } of y.ticks) {
    const at = xy(atY(frame, value / y.max));
    text += `<path class="grid" d="M${frame.left} ${at}H${frame.right}"/>`;
    text += `<text class="label" text-anchor="end" x="${frame.left - 7}" y="${at}" dy="4">${label}</text>`;
  }
  text += `<path class="axis" d="M${frame.left} ${frame.bottom}H${frame.right}"/>` + xLabels(frame, x);
  return text + axisTitle(frame, xTitle);
}

export function axisTitle(frame: Frame, title: string): string {
  const x = xy((frame.left + frame.right) / 2);
  return (
    `<text class="label" text-anchor="middle" x="${x}" ` +
    `y="${frame.bottom + 37}">${escapeText(title)}</text>`
  );
}

/**
 * The SVG element. `tips` names the list of tooltips in the page's data; pointer and arrow keys walk along it
 * between the frame's left and right ends.
 */
export function svgOf(
  frame: Frame,
  o: { width: Width; tips: string; label: string; content: string },
): string {
  const box = `0 0 ${frame.width} ${frame.height}`;
  return (
    `<svg class="chart ${o.width}" viewBox="${box}" role="img" tabindex="0" ` +
    `aria-label="${escapeText(o.label)}" ` +
    `data-tips="${o.tips}" data-left="${frame.left}" data-right="${frame.right}">${o.content}` +
    `<path class="cursor" d="M0 ${frame.top}V${frame.bottom}"/></svg>`
  );
}
