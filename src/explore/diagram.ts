/**
 * A race as changelogs draw it: one column for each actor, time downwards, function and line of the path,
 * locks taken (+) and released (−), changed fields below.
 */
import type { Story, StoryStep } from "./story.ts";

/** Changes of one step that are shown. */
const CHANGES_MAX = 5;

/** The lines of one step's cell. */
export function cellLines(step: StoryStep, changesMax = CHANGES_MAX): string[] {
  const lines: string[] = [];
  const locks = step.locks.length > 0 ? " " + step.locks.join(" ") : "";
  if (step.where !== "" || locks !== "") lines.push(`${step.where}${locks}`.trim());
  for (const change of step.changes.slice(0, changesMax)) lines.push("  " + change);
  const left = step.changes.length - changesMax;
  if (left > 0) lines.push(`  and ${left} more`);
  return lines;
}

/** Breaks a line where it is too long, at spaces. */
export function wrapLine(line: string, width: number): string[] {
  const indent = /^ */.exec(line)![0];
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    let at = rest.lastIndexOf(" ", width);
    if (at <= indent.length) at = width;
    lines.push(rest.slice(0, at));
    rest = indent + "    " + rest.slice(at).trimStart();
  }
  lines.push(rest);
  return lines;
}

/** Steps of one actor that follow one another, as one block of lines. */
export interface Block {
  readonly column: number;
  readonly lines: string[];
}

export function blocksOf(story: Story): Block[] {
  const blocks: Block[] = [];
  for (const [i, step] of story.steps.entries()) {
    const column = story.schedule[i]!;
    const lines = cellLines(step);
    if (lines.length === 0) continue;
    const last = blocks[blocks.length - 1];
    if (last?.column === column) last.lines.push(...lines);
    else blocks.push({ column, lines: [...lines] });
  }
  return blocks;
}

/** The diagram as text of at most `widthChars` columns. */
export function drawText(story: Story, widthChars: number): string {
  const columns = story.actors.length;
  const width = Math.max(24, Math.floor((widthChars - 3 * (columns - 1)) / columns));
  const row = (cells: readonly string[]) =>
    cells
      .map((cell) => cell.padEnd(width))
      .join(" │ ")
      .trimEnd();
  const lines = [
    row(story.actors.map(({ name, cpu }) => `CPU ${cpu}: ${name}`)),
    story.actors.map(() => "─".repeat(width)).join("─┼─"),
  ];
  for (const { column, lines: cell } of blocksOf(story)) {
    for (const line of cell.flatMap((each) => wrapLine(each, width)))
      lines.push(row(story.actors.map((_, i) => (i === column ? line : ""))));
  }
  return lines.join("\n") + "\n";
}
