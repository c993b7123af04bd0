/** A race as a diagram: time goes down, a lane for each actor, a line where the processor goes over. */
import { type Race, stepLine } from "../model/race.ts";
import { mix, type Theme } from "../theme.ts";
import type { Size } from "./chart.tsx";
import type { Surface } from "./surface.ts";

export const RACE_ROW_HEIGHT = 22;
/** Above the first step: the actors' names. */
export const RACE_HEAD_HEIGHT = 34;
const TOP = RACE_HEAD_HEIGHT;
const LEFT = 34;
const LANE_WIDTH = 26;

/** Text that fits a width, about; cut ends with an ellipsis. */
function fitting(text: string, width: number): string {
  const most = Math.max(4, Math.floor(width / 6.3));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** Where locks are held: a bar along the lane of the actor that holds some. */
function drawHeld(s: Surface, race: Race, middle: (actor: number) => number, theme: Theme): void {
  race.actors.forEach((_, actor) => {
    let held = 0;
    race.steps.forEach((step, i) => {
      if (step.actor === actor) {
        for (const lock of step.locks) held += lock.startsWith("+") ? 1 : -1;
      }
      const y = TOP + (i + 0.5) * RACE_ROW_HEIGHT;
      const colour = mix(theme.card, theme.columns[actor % 8]!, 0.45);
      if (held > 0) s.rect(middle(actor) - 3, y, 6, RACE_ROW_HEIGHT, colour);
    });
  });
}

export function paintRace(
  s: Surface,
  size: Size,
  theme: Theme,
  { race, at }: { race: Race; at: number },
): void {
  const middle = (actor: number): number => LEFT + LANE_WIDTH * (actor + 0.5);
  const words = LEFT + LANE_WIDTH * race.actors.length + 10;
  const bottom = TOP + race.steps.length * RACE_ROW_HEIGHT;
  let right = words;
  race.actors.forEach(({ name, cpu }, actor) => {
    const label = `${name}, CPU ${cpu}`;
    s.line([middle(actor), TOP - 6, middle(actor), bottom], { stroke: theme.rule });
    s.rect(right, 9, 10, 10, theme.columns[actor % 8]!);
    s.text(right + 15, 14, label, { fill: theme.ink, size: 12, bold: true });
    right += label.length * 7.2 + 34;
  });
  drawHeld(s, race, middle, theme);
  race.steps.forEach((step, i) => {
    const y = TOP + (i + 0.5) * RACE_ROW_HEIGHT;
    const x = middle(step.actor);
    const before = race.steps[i - 1];
    if (i === at) s.rect(words - 6, y - 10, size.width - words - 2, 20, mix(theme.card, theme.accent, 0.16));
    s.text(LEFT - 8, y, String(i + 1), { fill: theme.soft, size: 10, align: "end" });
    if (before !== undefined && before.actor !== step.actor) {
      const from = middle(before.actor);
      s.line([from, y - RACE_ROW_HEIGHT, x, y], { stroke: theme.ink, width: 1.2, dash: [4, 3] });
    }
    s.rect(x - 5, y - 5, 10, 10, theme.columns[step.actor % 8]!);
    const text = stepLine(step);
    const fill = text === "goes on" ? theme.soft : theme.ink;
    s.text(words, y, fitting(text, size.width - words - 8), { fill, size: 12 });
  });
  if (race.what === "") return;
  const y = bottom + 0.5 * RACE_ROW_HEIGHT;
  const last = middle(race.steps.at(-1)!.actor);
  s.line([last - 5, y - 5, last + 5, y + 5], { stroke: theme.worse, width: 2.5 });
  s.line([last - 5, y + 5, last + 5, y - 5], { stroke: theme.worse, width: 2.5 });
  const verdict = fitting(race.what, size.width - words - 8);
  s.text(words, y, verdict, { fill: theme.worse, size: 12, bold: true });
}
