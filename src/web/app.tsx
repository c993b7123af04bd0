/** The page: its head with the views, what is shown of them, and what is said to screen readers. */
import { headerOf } from "../report/text.ts";
import {
  announcement,
  columns,
  helpOpen,
  race,
  shown,
  theme,
  VIEW_NAMES,
  VIEWS,
  type View,
  view,
} from "./state.ts";
import { VERSION } from "./version.ts";
import { CompareView } from "./views/compare.tsx";
import { DropPlace, Messages, Running } from "./views/drop.tsx";
import { Help } from "./views/help.tsx";
import { MapView } from "./views/map.tsx";
import { RaceView } from "./views/race.tsx";
import { TimelineView } from "./views/timeline.tsx";
import { WalkView } from "./views/walk.tsx";

const COMPONENTS: Readonly<Record<View, () => preact.JSX.Element>> = {
  compare: CompareView,
  timeline: TimelineView,
  map: MapView,
  walk: WalkView,
  race: RaceView,
};

/** What the page is about: the workload, or the race that is looked at. */
function titleNow(): string {
  const found = race.value;
  if (view.value === "race" && found !== undefined) return `${found.scenario}, ${found.form}`;
  return columns.value[0]?.result.workload ?? "Pagewise";
}

/** Where it comes from, in lines. */
function aboutNow(): readonly string[] {
  if (view.value === "race" && race.value !== undefined) {
    const { actors, steps } = race.value;
    return [`Pagewise ${VERSION} · ${actors.length} actors, ${steps.length} steps · told by pagewise check`];
  }
  if (columns.value.length > 0) return headerOf(columns.value, shown.value!.version);
  return [`Pagewise ${VERSION}: what would each Linux kernel have done to this program's memory?`];
}

/** Without results there is nothing in a view; Race says what it wants. */
const isOpen = (name: View): boolean => name === "race" || columns.value.length > 0;

function Head() {
  return (
    <header>
      <div class="title">
        <h1>{titleNow()}</h1>
        <button type="button" onClick={() => (theme.value = theme.value === "dark" ? "light" : "dark")}>
          {theme.value === "dark" ? "Light" : "Dark"}
        </button>
        <button type="button" onClick={() => (helpOpen.value = true)}>
          Help (?)
        </button>
      </div>
      {aboutNow().map((line) => (
        <p key={line} class="note">
          {line}
        </p>
      ))}
      <nav aria-label="Views">
        {VIEWS.map((name, i) => (
          <button
            key={name}
            type="button"
            aria-current={view.value === name && isOpen(name) ? "page" : undefined}
            disabled={!isOpen(name)}
            title={`Key ${i + 1}`}
            onClick={() => (view.value = name)}
          >
            {VIEW_NAMES[name]}
          </button>
        ))}
      </nav>
    </header>
  );
}

export function App() {
  const View = COMPONENTS[view.value];
  const nothing = columns.value.length === 0;
  const showsView = view.value === "race" ? !nothing || race.value !== undefined : !nothing;
  return (
    <>
      <Head />
      <main data-view={view.value}>
        <Running />
        <Messages />
        {showsView ? <View /> : null}
        {nothing && !(view.value === "race" && race.value !== undefined) ? (
          <DropPlace />
        ) : (
          <details class="again">
            <summary>Open another file</summary>
            <DropPlace />
          </details>
        )}
      </main>
      <Help />
      <div class="hidden" role="status" aria-live="polite">
        {announcement.value}
      </div>
    </>
  );
}
