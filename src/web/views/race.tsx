/** Race: a counterexample of `pagewise check`, a column for each actor, the machine's state beside it. */
import { Fragment } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Chart } from "../draw/chart.tsx";
import { paintRace, RACE_HEAD_HEIGHT, RACE_ROW_HEIGHT } from "../draw/race.ts";
import { type Counterexample, machineAfter } from "../model/race.ts";
import { race, step } from "../state.ts";
import { goToStep, Stepper, stepKeys } from "./stepper.tsx";

const CHART_HEIGHT_MAX = 720;

function Diagram({ shown }: { shown: Counterexample }) {
  const { actors, steps } = shown;
  const height = RACE_HEAD_HEIGHT + 12 + steps.length * RACE_ROW_HEIGHT;
  return (
    <Chart
      name="race"
      label={`${actors.length} actors and ${steps.length} steps in the order in which they ran`}
      height={Math.min(CHART_HEIGHT_MAX, height)}
      paint={(s, size, theme) => paintRace(s, size, theme, { race: shown, at: step.value })}
      onPointer={(pointer, _x, y) => {
        if (pointer.type !== "pointerdown") return;
        goToStep(Math.floor((y - RACE_HEAD_HEIGHT) / RACE_ROW_HEIGHT), steps.length);
      }}
      onKey={stepKeys(steps.length)}
    />
  );
}

function StepTable({ shown, at }: { shown: Counterexample; at: number }) {
  const { actors, steps } = shown;
  const rows = useRef<HTMLTableSectionElement>(null);
  useEffect(() => {
    rows.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const cell = (actor: number, i: number): string => {
    const { what, broken, actor: who } = steps[i]!;
    if (actor !== who) return "";
    return broken === undefined ? what : `${what} ✗ ${broken}`;
  };
  return (
    <table>
      <caption class="hidden">The steps, in order</caption>
      <thead>
        <tr>
          <th scope="col">step</th>
          {actors.map((actor) => (
            <th key={actor} scope="col">
              {actor}
            </th>
          ))}
        </tr>
      </thead>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is stepped through by keys */}
      <tbody ref={rows} tabIndex={0} onKeyDown={stepKeys(steps.length)} aria-label="Steps">
        {steps.map((each, i) => (
          <tr
            key={each.what + i}
            class={`${i === at ? "now" : ""} ${each.broken === undefined ? "" : "broken"}`}
            onClick={() => goToStep(i, steps.length)}
            aria-current={i === at ? "step" : undefined}
          >
            <th scope="row">{i + 1}</th>
            {actors.map((name, actor) => (
              <td key={name}>{cell(actor, i)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Machine({ shown, at }: { shown: Counterexample; at: number }) {
  const before = machineAfter(shown, at - 1);
  const broken = shown.steps[at]?.broken;
  return (
    <aside aria-label="State of the machine" aria-live="polite">
      <h3>The machine after step {at + 1}</h3>
      <dl>
        {[...machineAfter(shown, at)].map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd class={before.get(name) === value ? "" : "changed"}>{value}</dd>
          </Fragment>
        ))}
      </dl>
      {broken === undefined ? null : <p class="verdict">✗ {broken}</p>}
      {shown.replay === "" ? null : (
        <p class="note">
          Replay: <code>{shown.replay}</code>
        </p>
      )}
    </aside>
  );
}

export function RaceView() {
  const shown = race.value;
  if (shown === undefined) {
    return (
      <section aria-label="Race">
        <h2>No race is open</h2>
        <p>
          Drop a counterexample here: <code>pagewise check C01 --json &gt; race.json</code> writes one when a
          race is found.
        </p>
      </section>
    );
  }
  const { steps, verdict, claim, generation, form, schedule } = shown;
  const at = Math.min(step.value, Math.max(0, steps.length - 1));
  const about = [
    generation,
    form === "" ? "" : `form ${form}`,
    schedule === "" ? "" : `schedule ${schedule}`,
  ];
  return (
    <section aria-label="Race">
      <h2>
        {shown.race} {claim}
      </h2>
      <p class="note">{about.filter((part) => part !== "").join(", ")}</p>
      <p class="verdict">{verdict}</p>
      <Diagram shown={shown} />
      <Stepper count={steps.length} told={`step ${at + 1} of ${steps.length}`} />
      <div class="race">
        <StepTable shown={shown} at={at} />
        <Machine shown={shown} at={at} />
      </div>
    </section>
  );
}
