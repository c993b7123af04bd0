/** The way in: a place to drop a file, and what to simulate it under. */
import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { GENERATIONS } from "../../generations/index.ts";
import { HARDWARE } from "../../hardware/index.ts";
import { openFiles } from "../files.ts";
import type { RunPlan } from "../protocol.ts";
import { cancel, failure, running, warnings } from "../runner.ts";

const kernels = signal<readonly string[]>(["linux-6.18"]);
const settings = signal("thp=never; thp=madvise; thp=always");
const hardware = signal(HARDWARE[0]!.name);

export const planNow = (): RunPlan => ({
  generations: kernels.value,
  settings: settings.value,
  hardware: hardware.value,
});

export const dragged = signal(false);

/** Files may be dropped anywhere on the page. */
export function acceptDrops(): void {
  addEventListener("dragover", (event) => {
    event.preventDefault();
    dragged.value = true;
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) dragged.value = false;
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    dragged.value = false;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) void openFiles(files, planNow());
  });
}

export function Running() {
  const now = running.value;
  if (now === undefined) return null;
  const seconds = (performance.now() - now.sinceMs) / 1000;
  const left =
    now.share === undefined || now.share < 0.03
      ? ""
      : `, about ${((seconds / now.share) * (1 - now.share)).toFixed(0)} s left`;
  return (
    <section class="running" role="status">
      <p>
        <b>{now.name}</b>: {now.text}
        {left}
      </p>
      <progress max={1} value={now.share} aria-label="Progress" />{" "}
      <button type="button" onClick={cancel}>
        Cancel
      </button>
    </section>
  );
}

export function Messages() {
  return (
    <>
      {failure.value === undefined ? null : (
        <section class="failure" role="alert">
          <p>{failure.value}</p>
          <button type="button" onClick={() => (failure.value = undefined)}>
            Close
          </button>
        </section>
      )}
      {warnings.value.map((warning) => (
        <p key={warning} class="warning">
          {warning}
        </p>
      ))}
    </>
  );
}

/** Under what a trace or a script is to run. */
function PlanForm() {
  return (
    <div class="plan">
      <fieldset>
        <legend>Kernels</legend>
        {GENERATIONS.map(({ name, summary }) => (
          <label key={name} title={summary}>
            <input
              type="checkbox"
              checked={kernels.value.includes(name)}
              onChange={(event) => {
                const others = kernels.value.filter((each) => each !== name);
                const next = event.currentTarget.checked ? [...others, name] : others;
                if (next.length > 0) kernels.value = next;
              }}
            />{" "}
            {name}
          </label>
        ))}
      </fieldset>
      <label>
        Settings, columns apart by ;
        <input
          type="text"
          value={settings.value}
          onInput={(event) => (settings.value = event.currentTarget.value)}
        />
      </label>
      <label>
        Hardware
        <select value={hardware.value} onChange={(event) => (hardware.value = event.currentTarget.value)}>
          {HARDWARE.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** For those who have nothing to drop yet: a heap that grows, is forked, and is given back in part. */
const EXAMPLE = `# A server's heap: it grows, a child saves it, the parent writes on, a part is given back.
map heap 64M align 2M
write heap
fork child {
  read heap
  sleep 20ms
}
write heap 0..16M
join child
advise heap 32M..48M dontneed
sleep 20ms
write heap 32M..36M
snapshot end
`;

const exampleFile = (): File => new File([EXAMPLE], "example.pw");

export function DropPlace() {
  const input = useRef<HTMLInputElement>(null);
  return (
    <section class={`drop ${dragged.value ? "over" : ""}`} aria-label="Open a file">
      <h2>Drop a trace, a script or a result here</h2>
      <p>
        Traces of <code>pagewise record</code> and <code>import</code> (.pwt), texts of perf and valgrind,
        workload scripts (.pw), what <code>--json</code> and <code>--html</code> wrote. Everything runs in
        this page; nothing leaves this machine.
      </p>
      <p class="ways-in">
        <input
          ref={input}
          type="file"
          aria-label="File"
          onChange={(event) => {
            const files = [...(event.currentTarget.files ?? [])];
            if (files.length > 0) void openFiles(files, planNow());
            event.currentTarget.value = "";
          }}
        />
        <span class="note">or</span>
        <button type="button" onClick={() => void openFiles([exampleFile()], planNow())}>
          Run an example script
        </button>
      </p>
      <PlanForm />
    </section>
  );
}
