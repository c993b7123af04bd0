/** A race as a diagram: time goes down, a lane for each actor, a line where the processor goes over. */
import type { Counterexample } from "../model/race.ts";
import { mix, type Theme } from "../theme.ts";
import type { Size } from "./chart.tsx";
import type { Surface } from "./surface.ts";

export const RACE_ROW_HEIGHT = 24;
/** Above the first step: the actors' names. */
export const RACE_HEAD_HEIGHT = 34;
const TOP = RACE_HEAD_HEIGHT;
const LEFT = 34;

/** Text that fits a width, about; cut ends with an ellipsis. */
function fitting(text: string, width: number): string {
  const most = Math.max(4, Math.floor(width / 6.1));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

export function paintRace(
  s: Surface,
  size: Size,
  theme: Theme,
  { race, at }: { race: Counterexample; at: number },
): void {
  const lane = (size.width - LEFT - 8) / Math.max(1, race.actors.length);
  const middle = (actor: number): number => LEFT + lane * actor + 12;
  race.actors.forEach((name, actor) => {
    const text = fitting(name, lane - 16);
    s.text(middle(actor) - 6, 14, text, { fill: theme.ink, size: 12, bold: true });
    s.line([middle(actor), TOP - 6, middle(actor), size.height - 6], { stroke: theme.rule });
  });
  race.steps.forEach((step, i) => {
    const y = TOP + (i + 0.5) * RACE_ROW_HEIGHT;
    const x = middle(step.actor);
    const before = race.steps[i - 1];
    if (i === at) s.rect(LEFT - 6, y - 11, size.width - LEFT - 2, 22, mix(theme.card, theme.accent, 0.16));
    s.text(LEFT - 12, y, String(i + 1), { fill: theme.soft, size: 10, align: "end" });
    if (before !== undefined && before.actor !== step.actor) {
      const from = middle(before.actor);
      const above = y - RACE_ROW_HEIGHT / 2;
      const path = [from, y - RACE_ROW_HEIGHT, from, above, x, above, x, y];
      s.line(path, { stroke: theme.columns[1]!, width: 1.5, dash: [4, 3] });
    }
    const colour = step.broken === undefined ? theme.columns[step.actor % 8]! : theme.worse;
    s.rect(x - 5, y - 5, 10, 10, colour);
    const text = step.broken === undefined ? step.what : `✗ ${step.what}: ${step.broken}`;
    s.text(x + 12, y, fitting(text, lane - 40), {
      fill: step.broken === undefined ? theme.ink : theme.worse,
      size: 12,
      bold: step.broken !== undefined,
    });
  });
}
