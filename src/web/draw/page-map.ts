/**
 * Draws the address map: on a canvas pixel by pixel, which takes the same time whatever is mapped, and for
 * papers as rectangles.
 *
 *     pixel ─▶ cell (region) ─▶ large enough? ─▶ page in the cell ─▶ colour of its state, node or heat
 */
import { PAGE } from "../../metrics/recording.ts";
import type { MapLayout } from "../model/map-layout.ts";
import type { PagesNow } from "../model/page-map.ts";
import type { MapColour } from "../state.ts";
import { mix, rgbOf, type Theme } from "../theme.ts";
import type { Surface } from "./surface.ts";

/** What of the map is seen: cells are `cellWidth` pixels wide and half as high. */
export interface MapView {
  readonly left: number;
  readonly top: number;
  readonly cellWidth: number;
}

/** From this width on a cell shows its pages: each has a pixel's width then. */
export const PAGES_FROM_WIDTH = 32;
export const PAGES_IN_ROW = 32;

const word = ([r, g, b]: readonly [number, number, number]): number =>
  ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** Colours of all 256 states of a page, as canvases hold them. */
export function stateColours(theme: Theme, colour: MapColour): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, state) => word(rgbOf(colourOfState(theme, colour, state))));
}

export function colourOfState(theme: Theme, colour: MapColour, state: number): string {
  const kind = state & PAGE.KIND;
  const resident = kind === PAGE.BASE || kind === PAGE.HUGE;
  if (colour === "node" && resident) return theme.nodes[state >> PAGE.NODE_SHIFT]!;
  const plain = theme.pages[kind]!;
  if (colour === "heat" && kind !== PAGE.ABSENT) return mix(theme.pages[0]!, plain, 0.25);
  if (kind === PAGE.HUGE && (state & PAGE.TOUCHED) === 0) return mix(plain, theme.untouched, 0.8);
  if (resident && (state & PAGE.SHARED) !== 0) return mix(plain, theme.shared, 0.6);
  return plain;
}

const heatWords = (theme: Theme): Uint32Array =>
  Uint32Array.from({ length: 64 }, (_, i) => word(rgbOf(heatColour(theme, i / 63))));

export function heatColour(theme: Theme, share: number): string {
  const at = share * (theme.heat.length - 1);
  const low = Math.min(theme.heat.length - 2, Math.floor(at));
  return mix(theme.heat[low]!, theme.heat[low + 1]!, at - low);
}

/** How hot a region is, 0..1: logarithmic, since a few regions have nearly all references. */
export function heatShare(pages: PagesNow, region: number): number {
  const references = pages.heat[region]!;
  return references === 0 ? 0 : Math.log10(1 + references) / Math.log10(1 + pages.heatMost);
}

/** One colour for a whole region: the mean of its pages. */
function regionColours(pages: PagesNow, colours: Uint32Array): Uint32Array {
  const { pagesPerHuge, map } = pages.recording;
  const out = new Uint32Array(map.regions.length);
  const { states } = pages;
  for (let region = 0; region < out.length; region++) {
    const from = region * pagesPerHuge;
    const first = states[from]!;
    let [r, g, b, same] = [0, 0, 0, true];
    // Every fourth page is enough for a mean that eight bits hold.
    const stride = pagesPerHuge >= 64 ? 4 : 1;
    for (let i = from; i < from + pagesPerHuge; i += stride) {
      const state = states[i]!;
      same &&= state === first;
      const colour = colours[state]!;
      r += colour & 255;
      g += (colour >> 8) & 255;
      b += (colour >> 16) & 255;
    }
    const n = Math.ceil(pagesPerHuge / stride);
    out[region] = same ? colours[first]! : word([Math.round(r / n), Math.round(g / n), Math.round(b / n)]);
  }
  return out;
}

/** What painting remembers from frame to frame. */
export interface MapPainter {
  image: ImageData | undefined;
  /** Which colours and theme `states` and `heat` are of. */
  colourKey: string;
  states: Uint32Array;
  heat: Uint32Array;
  /** Which frame, colours and theme `regions` is of. */
  key: string;
  regions: Uint32Array;
}

export const makeMapPainter = (): MapPainter => ({
  image: undefined,
  colourKey: "",
  states: new Uint32Array(0),
  heat: new Uint32Array(0),
  key: "",
  regions: new Uint32Array(0),
});

function refresh(p: MapPainter, pages: PagesNow, colour: MapColour, theme: Theme): void {
  const colourKey = `${colour} ${theme.ground}`;
  if (colourKey !== p.colourKey) {
    p.colourKey = colourKey;
    p.states = stateColours(theme, colour);
    p.heat = heatWords(theme);
  }
  const key = `${pages.frame} ${colourKey}`;
  if (key === p.key) return;
  p.key = key;
  p.regions =
    colour === "heat"
      ? Uint32Array.from(pages.heat, (_, region) => p.heat[Math.round(heatShare(pages, region) * 63)]!)
      : regionColours(pages, p.states);
}

/** For each pixel of a row: its cell, and the page of the cell's row. The same for all rows. */
interface Across {
  readonly cellOfX: Int32Array;
  readonly pageOfX: Int32Array;
}

function across(width: number, view: MapView, columns: number, gap: number): Across {
  const cellOfX = new Int32Array(width);
  const pageOfX = new Int32Array(width);
  for (let x = 0; x < width; x++) {
    const at = (x + view.left) / view.cellWidth;
    const cell = Math.floor(at);
    const inside = (at - cell) * view.cellWidth;
    const free = at < 0 || cell >= columns || inside >= view.cellWidth - gap;
    cellOfX[x] = free ? -1 : cell;
    pageOfX[x] = Math.floor((inside / (view.cellWidth - gap)) * PAGES_IN_ROW);
  }
  return { cellOfX, pageOfX };
}

/** A row of pixels through regions of one colour each: a function of its own, so that it is soon compiled. */
function paintRegions(
  out: Uint32Array,
  from: number,
  { cellOfX }: Across,
  o: { regionAt: Int32Array; first: number; regions: Uint32Array; ground: number },
): void {
  const { regionAt, first, regions, ground } = o;
  for (let x = 0; x < cellOfX.length; x++) {
    const cell = cellOfX[x]!;
    const region = cell < 0 ? -1 : regionAt[first + cell]!;
    out[from + x] = region < 0 ? ground : regions[region]!;
  }
}

/** The same through their pages: those of one row of each. */
function paintPages(
  out: Uint32Array,
  from: number,
  { cellOfX, pageOfX }: Across,
  o: { regionAt: Int32Array; first: number; ground: number; colours: Uint32Array },
  pages: { states: Uint8Array; pagesPerHuge: number; pageRow: number },
): void {
  const { regionAt, first, ground, colours } = o;
  const { states, pagesPerHuge, pageRow } = pages;
  for (let x = 0; x < cellOfX.length; x++) {
    const cell = cellOfX[x]!;
    const region = cell < 0 ? -1 : regionAt[first + cell]!;
    out[from + x] = region < 0 ? ground : colours[states[region * pagesPerHuge + pageRow + pageOfX[x]!]!]!;
  }
}

/** Device pixels of a canvas: draws the part of the map that `view` (in device pixels) shows. */
export function paintMap(
  p: MapPainter,
  context: CanvasRenderingContext2D,
  o: { pages: PagesNow; layout: MapLayout; view: MapView; colour: MapColour; theme: Theme },
): void {
  const { pages, layout, view, colour, theme } = o;
  const { width, height } = context.canvas;
  refresh(p, pages, colour, theme);
  if (p.image?.width !== width || p.image.height !== height) p.image = context.createImageData(width, height);
  const out = new Uint32Array(p.image.data.buffer);
  const ground = word(rgbOf(theme.card));
  const { pagesPerHuge } = pages.recording;
  const cellHeight = view.cellWidth / 2;
  const gap = view.cellWidth >= 8 ? Math.max(1, view.cellWidth / 16) : 0;
  const detailed = view.cellWidth >= PAGES_FROM_WIDTH && colour !== "heat" && pagesPerHuge === 512;
  const row = across(width, view, layout.columns, gap);
  const pageRows = pagesPerHuge / PAGES_IN_ROW;
  const { regionAt } = layout;
  // Most rows of pixels show what the row above them shows: they are copied.
  let above = -1;
  for (let y = 0; y < height; y++) {
    const at = (y + view.top) / cellHeight;
    const cellRow = Math.floor(at);
    const inside = (at - cellRow) * cellHeight;
    const from = y * width;
    if (cellRow < 0 || cellRow >= layout.rows || inside >= cellHeight - gap) {
      out.fill(ground, from, from + width);
      above = -1;
      continue;
    }
    const pageRow = detailed ? Math.floor((inside / (cellHeight - gap)) * pageRows) : 0;
    const shows = cellRow * pageRows + pageRow;
    if (shows === above) {
      out.copyWithin(from, from - width, from);
      continue;
    }
    above = shows;
    const first = cellRow * layout.columns;
    if (detailed) {
      const where = { states: pages.states, pagesPerHuge, pageRow: pageRow * PAGES_IN_ROW };
      paintPages(out, from, row, { regionAt, first, ground, colours: p.states }, where);
    } else paintRegions(out, from, row, { regionAt, first, regions: p.regions, ground });
  }
  context.putImageData(p.image, 0, 0);
}

/** The same for papers: a rectangle for each run of pages of one state, or for each region. */
export function drawMap(
  s: Surface,
  size: { width: number; height: number },
  o: { pages: PagesNow; layout: MapLayout; view: MapView; colour: MapColour; theme: Theme },
): void {
  const { pages, layout, view, colour, theme } = o;
  const { pagesPerHuge, mms } = pages.recording;
  const cellHeight = view.cellWidth / 2;
  const gap = view.cellWidth >= 8 ? Math.max(1, view.cellWidth / 16) : 0;
  const [wide, high] = [view.cellWidth - gap, cellHeight - gap];
  layout.cellOf.forEach((cell, region) => {
    const x = (cell % layout.columns) * view.cellWidth - view.left;
    const y = Math.floor(cell / layout.columns) * cellHeight - view.top;
    if (x + wide < 0 || y + high < 0 || x > size.width || y > size.height) return;
    if (colour === "heat") {
      s.rect(x, y, wide, high, heatColour(theme, heatShare(pages, region)));
      return;
    }
    drawRegion(s, { x, y, wide, high }, (page) =>
      colourOfState(theme, colour, pages.states[region * pagesPerHuge + page]!),
    );
  });
  drawHeadings(s, layout, view, theme, (mm) => nameOfMm(mms[mm]));
}

function drawRegion(
  s: Surface,
  box: { x: number; y: number; wide: number; high: number },
  colourOf: (page: number) => string,
): void {
  const rows = 16;
  const [w, h] = [box.wide / PAGES_IN_ROW, box.high / rows];
  for (let row = 0; row < rows; row++) {
    for (let from = 0; from < PAGES_IN_ROW; ) {
      const colour = colourOf(row * PAGES_IN_ROW + from);
      let to = from + 1;
      while (to < PAGES_IN_ROW && colourOf(row * PAGES_IN_ROW + to) === colour) to++;
      s.rect(box.x + from * w, box.y + row * h, (to - from) * w, h, colour);
      from = to;
    }
  }
}

export const nameOfMm = (mm: { readonly name: string; readonly pid: number } | undefined): string =>
  mm === undefined ? "" : `${mm.name || "process"} ${mm.pid}`;

/** Names of the address spaces, above their regions. */
export function drawHeadings(
  s: Surface,
  layout: MapLayout,
  view: MapView,
  theme: Theme,
  name: (mm: number) => string,
): void {
  const cellHeight = view.cellWidth / 2;
  for (const { row, mm } of layout.headings) {
    const y = (row + 1) * cellHeight - view.top - Math.min(8, cellHeight / 2);
    s.text(4, y, name(mm), { fill: theme.ink, size: Math.max(9, Math.min(13, cellHeight)), bold: true });
  }
}
