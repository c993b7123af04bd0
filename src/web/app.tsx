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

function Head() {
  const all = columns.value;
  const about = all.length === 0 ? [] : headerOf(all, shown.value!.version);
  return (
    <header>
      <div class="title">
        <h1>{all[0]?.result.workload ?? "Pagewise"}</h1>
        <button type="button" onClick={() => (theme.value = theme.value === "dark" ? "light" : "dark")}>
          {theme.value === "dark" ? "Light" : "Dark"}
        </button>
        <button type="button" onClick={() => (helpOpen.value = true)}>
          Help (?)
        </button>
      </div>
      {about.map((line) => (
        <p key={line} class="note">
          {line}
        </p>
      ))}
      {all.length === 0 ? (
        <p class="note">
          Pagewise {VERSION}: what would each Linux kernel have done to this program's memory?
        </p>
      ) : null}
      <nav aria-label="Views">
        {VIEWS.map((name, i) => (
          <button
            key={name}
            type="button"
            aria-current={view.value === name ? "page" : undefined}
            disabled={name === "race" ? false : all.length === 0}
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
