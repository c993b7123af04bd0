/** What of the address map is seen, and how that is changed: the canvas and its keys and pointer use it. */
import { type Signal, signal } from "@preact/signals";
import { fitCanvas, themeNow } from "../draw/chart.tsx";
import {
  drawHeadings,
  drawMap,
  type MapPainter,
  type MapView,
  makeMapPainter,
  nameOfMm,
  PAGES_FROM_WIDTH,
  PAGES_IN_ROW,
  paintMap,
} from "../draw/page-map.ts";
import { saveFile } from "../draw/save.ts";
import { canvasSurface, svgSurface } from "../draw/surface.ts";
import { columnsFor, layOut, type MapLayout } from "../model/map-layout.ts";
import { goToFrame, type PagesNow } from "../model/page-map.ts";
import { sampleAt } from "../model/samples.ts";
import { announcement, cursorNs, mapColour, region } from "../state.ts";
import { LIGHT } from "../theme.ts";

export const MAP_HEIGHT = 520;
const CELL_MAX = 2048;

export interface MapControl {
  readonly pages: PagesNow;
  readonly painter: MapPainter;
  readonly view: Signal<MapView>;
  /** Region under the pointer, or -1. */
  readonly hover: Signal<number>;
  /** The page in that region, or -1 while pages are too small to be seen. */
  readonly hoverPage: Signal<number>;
  layout: MapLayout;
  width: number;
}

export function makeMapControl(pages: PagesNow): MapControl {
  const width = 900;
  const layout = layOut(pages.recording, columnsFor(pages.recording, width, MAP_HEIGHT));
  const view = signal<MapView>({ left: 0, top: 0, cellWidth: width / layout.columns });
  return { pages, painter: makeMapPainter(), view, hover: signal(-1), hoverPage: signal(-1), layout, width };
}

/** Shows the whole map. */
export function showWhole(c: MapControl): void {
  c.view.value = { left: 0, top: 0, cellWidth: c.width / c.layout.columns };
}

/** The place on the screen has another width: the map is laid out anew. */
export function setWidth(c: MapControl, width: number): void {
  if (width === c.width) return;
  c.width = width;
  c.layout = layOut(c.pages.recording, columnsFor(c.pages.recording, width, MAP_HEIGHT));
  showWhole(c);
}

/** Nothing but map is seen, as far as there is enough of it. */
function bounded(c: MapControl, { left, top, cellWidth }: MapView): MapView {
  const wide = c.layout.columns * cellWidth - c.width;
  const deep = (c.layout.rows * cellWidth) / 2 - MAP_HEIGHT;
  const within = (value: number, most: number): number => Math.max(0, Math.min(Math.max(0, most), value));
  return { left: within(left, wide), top: within(top, deep), cellWidth };
}

/** Zooms about a point of the canvas. */
export function zoomMap(c: MapControl, factor: number, x: number, y: number): void {
  const { left, top, cellWidth } = c.view.peek();
  const least = c.width / c.layout.columns;
  const wide = Math.min(CELL_MAX, Math.max(least, cellWidth * factor));
  const by = wide / cellWidth;
  c.view.value = bounded(c, { left: (left + x) * by - x, top: (top + y) * by - y, cellWidth: wide });
}

export function panMap(c: MapControl, dx: number, dy: number): void {
  const { left, top, cellWidth } = c.view.peek();
  c.view.value = bounded(c, { left: left + dx, top: top + dy, cellWidth });
}

/** The region at a point of the canvas, or -1. */
export function regionUnder({ view, layout }: MapControl, x: number, y: number): number {
  const { left, top, cellWidth } = view.peek();
  const column = Math.floor((x + left) / cellWidth);
  const row = Math.floor(((y + top) / cellWidth) * 2);
  if (column < 0 || column >= layout.columns || row < 0 || row >= layout.rows) return -1;
  return layout.regionAt[row * layout.columns + column]!;
}

/** The pointer is there now: what it is over can be told. */
export function pointAt(c: MapControl, x: number, y: number): void {
  c.hover.value = regionUnder(c, x, y);
  const { left, top, cellWidth } = c.view.peek();
  const { pagesPerHuge } = c.pages.recording;
  const seen = c.hover.value >= 0 && cellWidth >= PAGES_FROM_WIDTH && pagesPerHuge >= PAGES_IN_ROW;
  const inside = (at: number): number => at - Math.floor(at);
  const column = Math.floor(inside((x + left) / cellWidth) * PAGES_IN_ROW);
  const row = Math.floor(inside(((y + top) / cellWidth) * 2) * (pagesPerHuge / PAGES_IN_ROW));
  c.hoverPage.value = seen ? row * PAGES_IN_ROW + column : -1;
}

export function pointNowhere(c: MapControl): void {
  c.hover.value = -1;
  c.hoverPage.value = -1;
}

export function selectRegion(c: MapControl, index: number): void {
  const count = c.pages.recording.map.regions.length;
  if (index >= count) return;
  pointNowhere(c);
  region.value = Math.max(-1, index);
  if (index >= 0) announcement.value = `Region ${index + 1} of ${count} selected.`;
}

const goToCursor = ({ pages }: MapControl): void =>
  goToFrame(pages, sampleAt(pages.recording.map.frameNs, cursorNs.peek()));

/** Draws what is seen now. */
export function drawControl(c: MapControl, canvas: HTMLCanvasElement): void {
  const { pages, layout, painter } = c;
  goToCursor(c);
  const size = fitCanvas(canvas, MAP_HEIGHT);
  const context = canvas.getContext("2d")!;
  const scale = canvas.width / size.width;
  const view = c.view.peek();
  const device = { left: view.left * scale, top: view.top * scale, cellWidth: view.cellWidth * scale };
  const theme = themeNow();
  paintMap(painter, context, { pages, layout, view: device, colour: mapColour.peek(), theme });
  const { mms } = pages.recording;
  drawHeadings(canvasSurface(context), layout, view, theme, (mm) => nameOfMm(mms[mm]));
  context.strokeStyle = theme.ink;
  context.setLineDash([]);
  outline(context, c, c.hover.peek(), 1);
  outline(context, c, region.peek(), 2);
}

function outline(context: CanvasRenderingContext2D, c: MapControl, index: number, width: number): void {
  const cell = c.layout.cellOf[index];
  if (cell === undefined) return;
  const { left, top, cellWidth } = c.view.peek();
  const x = (cell % c.layout.columns) * cellWidth - left;
  const y = (Math.floor(cell / c.layout.columns) * cellWidth) / 2 - top;
  context.lineWidth = width;
  context.strokeRect(x - 1, y - 1, cellWidth + 1, cellWidth / 2 + 1);
}

/** Saves what is seen as SVG. */
export function saveMap(c: MapControl): void {
  goToCursor(c);
  const size = { width: c.width, height: MAP_HEIGHT };
  const surface = svgSurface(size.width, size.height, LIGHT.card);
  const { pages, layout } = c;
  surface.clip(0, 0, size.width, size.height, () =>
    drawMap(surface, size, { pages, layout, view: c.view.peek(), colour: mapColour.peek(), theme: LIGHT }),
  );
  saveFile("pagewise-map.svg", "image/svg+xml", surface.svg());
}

/** What a key does on the map; undefined: nothing. */
export function mapKey(c: MapControl, key: string): (() => void) | undefined {
  const middle = [c.width / 2, MAP_HEIGHT / 2] as const;
  const actions: Readonly<Record<string, () => void>> = {
    w: () => zoomMap(c, 1.3, ...middle),
    s: () => zoomMap(c, 1 / 1.3, ...middle),
    "+": () => zoomMap(c, 1.3, ...middle),
    "-": () => zoomMap(c, 1 / 1.3, ...middle),
    a: () => panMap(c, -60, 0),
    d: () => panMap(c, 60, 0),
    ArrowUp: () => panMap(c, 0, -60),
    ArrowDown: () => panMap(c, 0, 60),
    "0": () => showWhole(c),
    n: () => selectRegion(c, region.value + 1),
    p: () => selectRegion(c, Math.max(0, region.value - 1)),
  };
  return actions[key];
}
