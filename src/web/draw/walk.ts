/** A fault on its own time axis: what each step cost, and while which locks were held. */
import type { WalkCourse } from "../../metrics/recording.ts";
import { formatTime } from "../../report/format.ts";
import { mix, type Theme } from "../theme.ts";
import type { Size } from "./chart.tsx";
import type { Surface } from "./surface.ts";

const SIDE = 12;
const LOCK_HEIGHT = 13;

export function paintWalk(
  s: Surface,
  size: Size,
  theme: Theme,
  { course, at }: { course: WalkCourse; at: number },
): void {
  const total = Math.max(1, course.at(-1)!.atNs);
  const x = (ns: number): number => SIDE + (ns / total) * (size.width - 2 * SIDE);
  let name = "";
  let shade = 0;
  course.forEach((step, i) => {
    if (step.kind === "enter") {
      name = step.what;
      shade += 1;
    }
    const to = course[i + 1]?.atNs ?? step.atNs;
    const wide = x(to) - x(step.atNs);
    const colour = theme.columns[shade % 8]!;
    s.rect(x(step.atNs), 6, Math.max(1, wide), 26, i === at ? colour : mix(colour, theme.card, 0.45));
    const label = `${name}  ${formatTime(to - step.atNs)}`;
    if (wide > label.length * 6.4) s.text(x(step.atNs) + 5, 19, label, { fill: theme.ink, size: 11 });
  });
  const rows: string[] = [];
  const since = new Map<string, number>();
  for (const { kind, what, atNs } of course) {
    if (kind === "lock") {
      if (!rows.includes(what)) rows.push(what);
      since.set(what, atNs);
    } else if (kind === "unlock") {
      const y = 38 + rows.indexOf(what) * LOCK_HEIGHT;
      const from = x(since.get(what) ?? 0);
      if (y + LOCK_HEIGHT <= size.height - 12) {
        s.rect(
          from,
          y + 2,
          Math.max(2, x(atNs) - from),
          LOCK_HEIGHT - 4,
          mix(theme.memory["page-tables"]!, theme.card, 0.55),
        );
        const right = from > size.width - 120;
        const place = right ? from - 4 : from + Math.max(2, x(atNs) - from) + 4;
        const inside = place > size.width - 90 && !right;
        s.text(inside ? from + 4 : place, y + LOCK_HEIGHT / 2, what, {
          fill: theme.ink,
          size: 10,
          align: right ? "end" : "start",
        });
      }
    }
  }
  const now = x(course[at]!.atNs);
  s.line([now, 2, now, size.height - 12], { stroke: theme.ink, width: 1.5 });
  s.text(SIDE, size.height - 6, "0", { fill: theme.soft, size: 10 });
  s.text(size.width - SIDE, size.height - 6, formatTime(total), { fill: theme.soft, size: 10, align: "end" });
}
