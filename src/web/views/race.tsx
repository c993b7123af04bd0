/** Race: what `pagewise check` found, step by step, with the state of the little machine beside it. */
import { Fragment } from "preact";
import { Chart } from "../draw/chart.tsx";
import { paintRace, RACE_HEAD_HEIGHT, RACE_ROW_HEIGHT } from "../draw/race.ts";
import {
  type Fact,
  FRAME_COLUMNS,
  type FrameNow,
  groupedMachine,
  printSchedule,
  type Race,
} from "../model/race.ts";
import { race, step } from "../state.ts";
import { goToStep, Stepper, stepKeys } from "./stepper.tsx";

function Diagram({ shown }: { shown: Race }) {
  const { actors, steps } = shown;
  return (
    <Chart
      name="race"
      label={`${actors.length} actors and ${steps.length} steps in the order in which they ran`}
      height={RACE_HEAD_HEIGHT + 12 + (steps.length + (shown.what === "" ? 0 : 1)) * RACE_ROW_HEIGHT}
      paint={(s, size, theme) => paintRace(s, size, theme, { race: shown, at: step.value })}
      onPointer={(pointer, _x, y) => {
        if (pointer.type !== "pointerdown") return;
        goToStep(Math.floor((y - RACE_HEAD_HEIGHT) / RACE_ROW_HEIGHT), steps.length);
      }}
      onKey={stepKeys(steps.length)}
    />
  );
}

/** What the step that is looked at did, in full: the diagram has one line for each. */
function StepNow({ shown, at }: { shown: Race; at: number }) {
  const { actor, where, locks, changes } = shown.steps[at]!;
  const { name, cpu } = shown.actors[actor]!;
  return (
    <>
      <h3>
        Step {at + 1}: {name}, CPU {cpu}
      </h3>
      <p>{where === "" ? "touches nothing that others see" : <code>{where}</code>}</p>
      <ul class="plain">
        {locks.map((lock) => (
          <li key={lock}>{lock.startsWith("+") ? `takes ${lock.slice(1)}` : `drops ${lock.slice(1)}`}</li>
        ))}
        {changes.map((change) => (
          <li key={change}>{change}</li>
        ))}
      </ul>
    </>
  );
}

function Facts({ title, facts }: { title: string; facts: readonly Fact[] }) {
  if (facts.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      <dl>
        {facts.map(({ name, value, changed }) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd class={changed ? "changed" : ""}>{value}</dd>
          </Fragment>
        ))}
      </dl>
    </>
  );
}

function Frames({ frames }: { frames: readonly FrameNow[] }) {
  if (frames.length === 0) return null;
  return (
    <>
      <h4>Frames</h4>
      <table class="frames">
        <thead>
          <tr>
            <td />
            {FRAME_COLUMNS.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {frames.map(({ frame, facts }) => (
            <tr key={frame}>
              <th scope="row">{frame}</th>
              {FRAME_COLUMNS.map((column) => (
                <td key={column} class={facts.get(column)?.changed === true ? "changed" : ""}>
                  {(facts.get(column)?.value ?? "").toLowerCase()}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Machine({ shown, at }: { shown: Race; at: number }) {
  const { locks, entries, frames, tlbs } = groupedMachine(shown, at);
  return (
    <>
      <h3>The machine after it</h3>
      {locks.length === 0 ? <p class="note">no lock is held</p> : <Facts title="Locks held" facts={locks} />}
      <Facts title="Page tables" facts={entries} />
      <Frames frames={frames} />
      <Facts title="TLBs" facts={tlbs} />
    </>
  );
}

/** The steps as text: what the diagram says to those who see it. */
function Told({ shown }: { shown: Race }) {
  return (
    <ol class="hidden">
      {shown.steps.map(({ actor, where, changes }, i) => (
        <li key={`${where} ${i}`}>{[shown.actors[actor]!.name, where, ...changes].join(", ")}</li>
      ))}
    </ol>
  );
}

export function RaceView() {
  const shown = race.value;
  if (shown === undefined) {
    return (
      <section aria-label="Race">
        <h2>No race is open</h2>
        <p>
          Drop what <code>pagewise check SCENARIO --json</code> printed: the race that it found, or the
          schedule that <code>--schedule</code> names.
        </p>
      </section>
    );
  }
  const { steps, scenario, form, what, schedule } = shown;
  const at = Math.min(step.value, steps.length - 1);
  const last = what !== "" && at === steps.length - 1;
  return (
    <section aria-label="Race">
      <p class={what === "" ? "note" : "verdict"}>{what === "" ? "nothing is wrong at the end" : what}</p>
      <Stepper count={steps.length} told={`step ${at + 1} of ${steps.length}`} />
      <div class="race">
        <Diagram shown={shown} />
        <aside aria-label="Step and machine" aria-live="polite">
          <StepNow shown={shown} at={at} />
          {last ? <p class="verdict">✗ {what}</p> : null}
          <Machine shown={shown} at={at} />
        </aside>
      </div>
      <Told shown={shown} />
      <p class="note">
        Again:{" "}
        <code>
          pagewise check {scenario} --form '{form}' --schedule {printSchedule(schedule)}
        </code>
      </p>
    </section>
  );
}
