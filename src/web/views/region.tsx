/** What is known of one region of the address map: its area, its pages, its history. */
import { Fragment } from "preact";
import { useMemo } from "preact/hooks";
import { VM } from "../../kernel/mm/vma.ts";
import { type MapArea, PAGE } from "../../metrics/recording.ts";
import { describeEvent } from "../../report/events.ts";
import { formatFigure, formatTime } from "../../report/format.ts";
import { nameOfMm } from "../draw/page-map.ts";
import { eventsInRegion } from "../model/events.ts";
import { countRegion, goToFrame, historyOf, type PagesNow, type RegionMoment } from "../model/page-map.ts";
import { sampleAt } from "../model/samples.ts";
import { cursorNs, moveCursor, region, showEvent, view } from "../state.ts";

const EVENTS_SHOWN = 12;
const HISTORY_SHOWN = 12;

const FLAGS: readonly (readonly [flag: number, word: string])[] = [
  [VM.SHARED, "shared"],
  [VM.FILE, "file"],
  [VM.HUGEPAGE, "MADV_HUGEPAGE"],
  [VM.NOHUGEPAGE, "MADV_NOHUGEPAGE"],
  [VM.LOCKED, "locked"],
  [VM.UNKNOWN, "not in the trace"],
];

function describeArea({ start, end, flags }: MapArea): string {
  const access = [
    (flags & VM.READ) !== 0 ? "r" : "-",
    (flags & VM.WRITE) !== 0 ? "w" : "-",
    (flags & VM.EXEC) !== 0 ? "x" : "-",
  ].join("");
  const words = FLAGS.filter(([flag]) => (flags & flag) !== 0).map(([, word]) => word);
  const hex = (page: number): string => (page * 4096).toString(16);
  return `${hex(start)}–${hex(end)} ${access}${words.length === 0 ? "" : ` ${words.join(", ")}`}`;
}

const KINDS = ["absent", "base", "huge", "reserved", "file", "swapped", "zero"] as const;

function Counts({ pages, index }: { pages: PagesNow; index: number }) {
  const { kinds, touched, shared, nodes } = countRegion(pages, index);
  const resident = kinds[PAGE.BASE]! + kinds[PAGE.HUGE]!;
  const rows: (readonly [string, number])[] = KINDS.map((name, kind) => [name, kinds[kind]!]);
  rows.push(["touched", touched], ["never touched", Math.max(0, resident - touched)], ["shared", shared]);
  if (nodes.length > 1) rows.push(...nodes.map((count, node) => [`node ${node}`, count] as const));
  return (
    <dl>
      {rows
        .filter(([, count]) => count > 0)
        .map(([name, count]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{count} pages</dd>
          </Fragment>
        ))}
      <dt>references</dt>
      <dd>{formatFigure("count", pages.heat[index]!)} since the last look</dd>
    </dl>
  );
}

/** One page, when cells are large enough to point at one. */
function PageNow({ pages, index, page }: { pages: PagesNow; index: number; page: number }) {
  const { recording, states } = pages;
  const { vpn, mm } = recording.map.regions[index]!;
  const state = states[index * recording.pagesPerHuge + page]!;
  const kind = state & PAGE.KIND;
  const resident = kind === PAGE.BASE || kind === PAGE.HUGE;
  const words: string[] = [KINDS[kind] ?? "?"];
  if (resident) words.push((state & PAGE.TOUCHED) !== 0 ? "touched" : "never touched");
  if ((state & PAGE.SHARED) !== 0) words.push("shared");
  if (resident && recording.nodes > 1) words.push(`node ${state >> PAGE.NODE_SHIFT}`);
  const area = areasOf(pages, mm, vpn + page, vpn + page + 1)[0];
  if (area?.name !== undefined) words.push(area.name);
  return (
    <p>
      page <b>0x{((vpn + page) * 4096).toString(16)}</b>: {words.join(", ")}
    </p>
  );
}

/** Areas of an address space that lie in a range of pages now. */
function areasOf({ recording, frame }: PagesNow, mm: number, from: number, to: number): MapArea[] {
  return recording.map.areas.filter(
    (area) =>
      area.mm === mm && area.fromFrame <= frame && area.toFrame > frame && area.start < to && area.end > from,
  );
}

const AREAS_SHOWN = 6;

function Areas({ pages, index }: { pages: PagesNow; index: number }) {
  const { map, pagesPerHuge } = pages.recording;
  const { mm, vpn } = map.regions[index]!;
  const areas = areasOf(pages, mm, vpn, vpn + pagesPerHuge);
  return (
    <>
      <h4>Areas</h4>
      {areas.length === 0 ? <p>none now</p> : null}
      <ul class="plain">
        {areas.slice(0, AREAS_SHOWN).map((area) => (
          <li key={area.start}>
            {area.name === undefined ? null : <b>{area.name} </b>}
            <code>{describeArea(area)}</code>
          </li>
        ))}
        {areas.length > AREAS_SHOWN ? <li>and {areas.length - AREAS_SHOWN} more</li> : null}
      </ul>
    </>
  );
}

const momentWords = ({ huge, base, other }: RegionMoment): string =>
  [
    [huge, "huge"],
    [base, "base"],
    [other, "other"],
  ]
    .filter(([count]) => count !== 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(", ") || "empty";

/** When the region changed, and the last events in it. */
function Past({ pages, index }: { pages: PagesNow; index: number }) {
  const { recording } = pages;
  const { frameNs } = recording.map;
  const history = useMemo(() => historyOf(pages, index), [pages, index]);
  const events = useMemo(() => eventsInRegion(recording, index, EVENTS_SHOWN), [recording, index]);
  const goTo = (i: number): void => {
    showEvent(i);
    view.value = "walk";
  };
  return (
    <>
      <h4>History</h4>
      <ul class="plain">
        {history.slice(-HISTORY_SHOWN).map((moment) => (
          <li key={moment.frame}>
            <button type="button" class="link" onClick={() => moveCursor(frameNs[moment.frame]!)}>
              {formatTime(frameNs[moment.frame]!)}
            </button>{" "}
            {momentWords(moment)}
          </li>
        ))}
      </ul>
      <h4>Last events</h4>
      <ul class="plain">
        {events.map((i) => (
          <li key={i}>
            <button type="button" class="link" onClick={() => goTo(i)}>
              {formatTime(recording.events.tNs[i]!)}
            </button>{" "}
            {describeEvent(recording, i)}
          </li>
        ))}
      </ul>
    </>
  );
}

/** `page` is the page in the region that the pointer is over, or -1. */
export function RegionPanel(props: { pages: PagesNow; shownRegion: number; page: number }) {
  const { pages, shownRegion, page } = props;
  const { map, mms } = pages.recording;
  const where = map.regions[shownRegion];
  if (where === undefined) {
    return <aside class="region note">Point at a cell, or press n, to see what lies there.</aside>;
  }
  const isSelected = shownRegion === region.value;
  goToFrame(pages, sampleAt(map.frameNs, cursorNs.value));
  return (
    <aside class="region" aria-label="Region" aria-live={isSelected ? "polite" : "off"}>
      <h3>0x{(where.vpn * 4096).toString(16)}</h3>
      <p>
        {nameOfMm(mms[where.mm])}, region {shownRegion + 1} of {map.regions.length}
      </p>
      {page < 0 ? null : <PageNow pages={pages} index={shownRegion} page={page} />}
      <Counts pages={pages} index={shownRegion} />
      <Areas pages={pages} index={shownRegion} />
      {isSelected ? <Past pages={pages} index={shownRegion} /> : <p class="note">Click for its history.</p>}
    </aside>
  );
}
