/** Small parts that several views have. */
import { columns, selected, showColumn } from "../state.ts";

/** Chooses the column that map and walk look into. */
export function ColumnChoice() {
  const all = columns.value;
  if (all.length < 2) return null;
  return (
    <label class="choice">
      Run{" "}
      <select value={selected.value} onChange={(event) => showColumn(Number(event.currentTarget.value))}>
        {all.map(({ name }, i) => (
          <option key={name} value={i}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

export function NotRecorded() {
  return (
    <section>
      <ColumnChoice />
      <p>
        This run was not recorded step by step. Open its trace here, or write a page with{" "}
        <code>pagewise compare … --html report.html</code>.
      </p>
    </section>
  );
}
