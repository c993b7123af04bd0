/** "Did you mean …?": the known word nearest to a misspelt one. */
import { UserError } from "./assert.ts";

/** Edits (insert, delete, replace, swap of neighbours) that turn one word into the other. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, beforeLast[j - 2]! + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/**
 * The candidate nearest to the word, if it is near enough to be what was meant: at most a third of the longer
 * word's letters differ, letters' case apart. A word that begins, or is the last component of, exactly one
 * candidate means that one. Ties go to the earlier candidate.
 */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
    if (distance <= allowed && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  if (best !== undefined || wanted.length < 2) return best;
  const parts = candidates.filter((candidate) => {
    const lower = candidate.toLowerCase();
    return lower.startsWith(wanted) || lower.split(/[/.]/).at(-1) === wanted;
  });
  return parts.length === 1 ? parts[0] : undefined;
}

/** "; did you mean 'write'?", or nothing: to be put behind a message. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const meant = closest(word, candidates);
  return meant === undefined ? "" : `; did you mean '${meant}'?`;
}

/** The one of a list with that name; `place` names the option that asked, in the message of a mistake. */
export function demandNamed<T extends { readonly name: string }>(
  list: readonly T[],
  name: string,
  place: string,
): T {
  const found = list.find((each) => each.name === name);
  if (found !== undefined) return found;
  const known = list.map((each) => each.name);
  const advice = didYouMean(name, known);
  throw new UserError(`expected one of ${known.join(", ")}, found '${name}'${advice}`, { file: place });
}
