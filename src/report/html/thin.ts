/**
 * Fewer points for drawing: of all samples that fall on one strip of the screen, those that shape the line.
 */

/**
 * Indices to draw: in each of `strips` equal parts of the time, the first, lowest, highest and last sample.
 */
export function thinned(t: readonly number[], y: readonly number[], tMax: number, strips: number): number[] {
  const kept: number[] = [];
  let start = 0;
  while (start < t.length) {
    const strip = Math.floor((t[start]! / tMax) * strips);
    let end = start + 1;
    let low = start;
    let high = start;
    while (end < t.length && Math.floor((t[end]! / tMax) * strips) === strip) {
      if (y[end]! < y[low]!) low = end;
      if (y[end]! > y[high]!) high = end;
      end += 1;
    }
    const shape = [...new Set([start, low, high, end - 1])].sort((a, b) => a - b);
    kept.push(...shape);
    start = end;
  }
  return kept;
}

/** Index of the last sample at or before that time; the first sample if there is none. */
export function sampleAt(t: readonly number[], time: number): number {
  let low = 0;
  let high = t.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (t[middle]! <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}
