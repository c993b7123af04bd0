/** Which columns a comparison has: every kernel under each of the settings. */
import type { Generation } from "../generations/generation.ts";
import { parseSettingsList, type Setting } from "./settings.ts";

/** A column to simulate. */
export interface Plan {
  readonly name: string;
  readonly generation: Generation;
  readonly settings: readonly Setting[];
}

/**
 * The columns: kernels by settings (`thp=never; thp=always`; undefined: one column of defaults).
 * `everywhere` gives what every column of a kernel sets first.
 */
export function columnsOf(
  generations: readonly Generation[],
  settings: string | undefined,
  everywhere: (generation: Generation) => readonly Setting[],
): Plan[] {
  return generations.flatMap((generation) => {
    const list = settings === undefined ? undefined : parseSettingsList(settings, generation.knobs);
    return (list ?? [{ name: "", settings: [] }]).map((column) => ({
      name:
        generations.length === 1 && column.name !== ""
          ? column.name
          : [generation.name, column.name].join(" ").trim(),
      generation,
      settings: [...everywhere(generation), ...column.settings],
    }));
  });
}
