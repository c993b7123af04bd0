/** The race diagram as a picture: a lane for each actor, a box for what it does without being interrupted. */
import { blocksOf, wrapLine } from "./diagram.ts";
import type { Story } from "./story.ts";

const LANE_CHARS = 52;
const CHAR_PX = 7.3;
const LINE_PX = 16;
const PAD_PX = 8;
const LANE_PX = Math.ceil(LANE_CHARS * CHAR_PX) + 2 * PAD_PX;
const GAP_PX = 14;
const HEAD_PX = 64;

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function textLine(x: number, y: number, text: string, kind: string): string {
  return `<text x="${x}" y="${y}" class="${kind}" xml:space="preserve">${escaped(text)}</text>`;
}

const STYLE = `
svg { background: #fff; font: 12px ui-monospace, monospace; }
.title { font-weight: bold; font-size: 14px; } .lane { fill: #f6f7f9; } .box { fill: #fff; stroke: #8794a8; }
.head { font-weight: bold; } .path { fill: #123d7a; } .change { fill: #333; }
.wrong { fill: #b3261e; font-weight: bold; }
`;

/** One SVG document. */
export function drawSvg(story: Story): string {
  const laneX = (column: number) => GAP_PX + column * (LANE_PX + GAP_PX);
  const parts: string[] = [];
  let y = HEAD_PX;
  for (const { column, lines } of blocksOf(story)) {
    const wrapped = lines.flatMap((line) => wrapLine(line, LANE_CHARS));
    const height = wrapped.length * LINE_PX + PAD_PX;
    const size = `width="${LANE_PX - 6}" height="${height}"`;
    parts.push(`<rect x="${laneX(column) + 3}" y="${y}" ${size} rx="4" class="box"/>`);
    wrapped.forEach((line, i) => {
      const kind = line.startsWith("  ") ? "change" : "path";
      parts.push(textLine(laneX(column) + PAD_PX, y + 15 + i * LINE_PX, line, kind));
    });
    y += height + 4;
  }
  const wrong = story.what === undefined ? [] : wrapLine(story.what, 100);
  const widthPx = laneX(story.actors.length);
  const heightPx = y + 20 + wrong.length * LINE_PX;
  const lanes = story.actors.map(({ name, cpu }, i) => {
    const lane = `<rect x="${laneX(i)}" y="34" width="${LANE_PX}" height="${y - 34}" class="lane"/>`;
    return lane + textLine(laneX(i) + PAD_PX, 52, `CPU ${cpu}: ${name}`, "head");
  });
  const size = `width="${widthPx}" height="${heightPx}"`;
  const end = wrong.map((line, i) => textLine(GAP_PX, y + 18 + i * LINE_PX, line, "wrong"));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${widthPx} ${heightPx}">`,
    `<style>${STYLE}</style>`,
    textLine(GAP_PX, 22, `${story.scenario} · ${story.form}`, "title"),
    ...lanes,
    ...parts,
    ...end,
    "</svg>\n",
  ].join("\n");
}
