/**
 * Where each region lies on the address map: a cell twice as wide as high, which shows its pages in 16 rows
 * of 32 when it is large enough. Address spaces begin a new row behind a heading; a gap in the addresses
 * leaves one cell free.
 */
import type { Recording } from "../../metrics/recording.ts";

export interface MapLayout {
  readonly columns: number;
  readonly rows: number;
  /** Region of each cell, or -1; row by row. */
  readonly regionAt: Int32Array;
  /** Cell of each region. */
  readonly cellOf: Int32Array;
  /** Rows that hold a heading, and the address space that begins below it. */
  readonly headings: readonly { readonly row: number; readonly mm: number }[];
}

/** Lays regions out in rows of that many cells. */
export function layOut({ map, pagesPerHuge }: Recording, columns: number): MapLayout {
  const { regions } = map;
  const cellOf = new Int32Array(regions.length);
  const headings: { row: number; mm: number }[] = [];
  let row = -1;
  let column = columns;
  regions.forEach(({ mm, vpn }, i) => {
    const before = regions[i - 1];
    if (before?.mm !== mm) {
      row += 1;
      headings.push({ row, mm });
      row += 1;
      column = 0;
    } else if (before.vpn + pagesPerHuge !== vpn && column > 0) column += 1;
    if (column >= columns) {
      row += 1;
      column = 0;
    }
    cellOf[i] = row * columns + column;
    column += 1;
  });
  const rows = row + 1;
  const regionAt = new Int32Array(rows * columns).fill(-1);
  cellOf.forEach((cell, i) => {
    regionAt[cell] = i;
  });
  return { columns, rows, regionAt, cellOf, headings };
}

/** Cells in a row so that the whole map fits a place about as well as it can. */
export function columnsFor(recording: Recording, width: number, height: number): number {
  const count = recording.map.regions.length + recording.mms.length;
  for (let columns = 4; columns < 4096; columns = Math.ceil(columns * 1.1)) {
    const { rows } = layOut(recording, columns);
    // A cell is twice as wide as high.
    if ((width / columns / 2) * rows <= height || columns > count * 2) return columns;
  }
  return 4096;
}
