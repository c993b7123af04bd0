/**
 * What charts are drawn on: a canvas for the screen, SVG for papers. One drawing routine serves both, so that
 * what is exported is what was seen.
 */
import { escapeText, xy } from "../../report/markup.ts";

export interface TextStyle {
  readonly fill: string;
  readonly size?: number;
  readonly align?: "start" | "middle" | "end";
  readonly bold?: boolean;
}

export interface LineStyle {
  readonly stroke: string;
  readonly width?: number;
  readonly dash?: readonly number[];
}

export interface Surface {
  rect(x: number, y: number, width: number, height: number, fill: string): void;
  /** A line through x0, y0, x1, y1, … */
  line(points: readonly number[], style: LineStyle): void;
  /** A filled shape with those corners. */
  area(points: readonly number[], fill: string): void;
  /** `y` is the middle of the text's height. */
  text(x: number, y: number, text: string, style: TextStyle): void;
  /** What `draw` draws outside of the rectangle is not seen. */
  clip(x: number, y: number, width: number, height: number, draw: () => void): void;
}

export const FONT = 'system-ui, -apple-system, "Segoe UI", sans-serif';

function trace(context: CanvasRenderingContext2D, points: readonly number[]): void {
  context.beginPath();
  context.moveTo(points[0]!, points[1]!);
  for (let i = 2; i < points.length; i += 2) context.lineTo(points[i]!, points[i + 1]!);
}

export function canvasSurface(context: CanvasRenderingContext2D): Surface {
  return {
    rect(x, y, width, height, fill) {
      context.fillStyle = fill;
      context.fillRect(x, y, width, height);
    },
    line(points, { stroke, width = 1, dash = [] }) {
      if (points.length < 4) return;
      trace(context, points);
      context.strokeStyle = stroke;
      context.lineWidth = width;
      context.setLineDash([...dash]);
      context.stroke();
    },
    area(points, fill) {
      if (points.length < 6) return;
      trace(context, points);
      context.closePath();
      context.fillStyle = fill;
      context.fill();
    },
    text(x, y, text, { fill, size = 12, align = "start", bold = false }) {
      context.font = `${bold ? "600 " : ""}${size}px ${FONT}`;
      context.textAlign = align === "middle" ? "center" : align;
      context.textBaseline = "middle";
      context.fillStyle = fill;
      context.fillText(text, x, y);
    },
    clip(x, y, width, height, draw) {
      context.save();
      context.beginPath();
      context.rect(x, y, width, height);
      context.clip();
      draw();
      context.restore();
    },
  };
}

const corners = (points: readonly number[]): string => {
  let text = `M${xy(points[0]!)} ${xy(points[1]!)}`;
  for (let i = 2; i < points.length; i += 2) text += `L${xy(points[i]!)} ${xy(points[i + 1]!)}`;
  return text;
};

/** Draws into text; `svg` gives the whole document. */
export function svgSurface(width: number, height: number, ground: string): Surface & { svg(): string } {
  const parts: string[] = [];
  let clips = 0;
  return {
    rect(x, y, w, h, fill) {
      parts.push(`<rect x="${xy(x)}" y="${xy(y)}" width="${xy(w)}" height="${xy(h)}" fill="${fill}"/>`);
    },
    line(points, { stroke, width: stroked = 1, dash = [] }) {
      if (points.length < 4) return;
      const dashes = dash.length === 0 ? "" : ` stroke-dasharray="${dash.join(" ")}"`;
      parts.push(
        `<path d="${corners(points)}" fill="none" stroke="${stroke}" stroke-width="${stroked}"${dashes}/>`,
      );
    },
    area(points, fill) {
      if (points.length >= 6) parts.push(`<path d="${corners(points)}Z" fill="${fill}"/>`);
    },
    text(x, y, text, { fill, size = 12, align = "start", bold = false }) {
      const weight = bold ? ' font-weight="600"' : "";
      parts.push(
        `<text x="${xy(x)}" y="${xy(y)}" dy="0.35em" font-size="${size}" text-anchor="${align}"` +
          `${weight} fill="${fill}">${escapeText(text)}</text>`,
      );
    },
    clip(x, y, w, h, draw) {
      const id = `clip${clips++}`;
      const box = `<rect x="${xy(x)}" y="${xy(y)}" width="${xy(w)}" height="${xy(h)}"/>`;
      parts.push(`<clipPath id="${id}">${box}</clipPath><g clip-path="url(#${id})">`);
      draw();
      parts.push("</g>");
    },
    svg: () =>
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
      `height="${height}" font-family='${FONT}'>` +
      `<rect width="100%" height="100%" fill="${ground}"/>${parts.join("")}</svg>\n`,
  };
}
