/**
 * Kernel knobs under their real names: writing one is like writing sysfs or /proc: the same values, the same
 * EINVAL. A knob is declared once; `--help`, `pagewise knobs`, range checks and report headers come from the
 * declaration.
 */

export interface NumberKnob {
  readonly name: string;
  readonly type: "number";
  readonly unit: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly doc: string;
  readonly source: string;
}

/** A knob with named values, as sysfs shows them: `always [madvise] never`. */
export interface ChoiceKnob {
  readonly name: string;
  readonly type: "choice";
  readonly choices: readonly string[];
  readonly default: string;
  readonly doc: string;
  readonly source: string;
}

export type KnobSpec = NumberKnob | ChoiceKnob;

/** Why a write was refused, with what would have been accepted; the kernel's answer is EINVAL. */
export interface KnobRefusal {
  readonly knob: string;
  readonly found: string;
  readonly expected: string;
}

export interface Knobs {
  /** Every knob of this kernel, in order of declaration. */
  readonly specs: readonly KnobSpec[];
  /** The value as the kernel would print it. The name must exist: see `has`. */
  read(name: string): string;
  /** Number knobs alone. */
  readNumber(name: string): number;
  has(name: string): boolean;
  /** Writes a value; a refusal changes nothing. An unknown name is refused as well. */
  write(name: string, value: string): KnobRefusal | undefined;
  /** Calls back after every accepted write, and once for each knob at once. */
  watch(listener: (name: string) => void): void;
}

function acceptNumber(spec: NumberKnob, text: string): number | undefined {
  if (!/^[+-]?(0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
  const value = Number(text);
  return value >= spec.min && value <= spec.max ? value : undefined;
}

/** What a knob accepts, in words. */
export function knobRange(spec: KnobSpec): string {
  return spec.type === "choice" ? spec.choices.join(" | ") : `${spec.min}..${spec.max} (${spec.unit})`;
}

/** Makes the knobs of one kernel at their defaults. */
export function makeKnobs(specs: readonly KnobSpec[]): Knobs {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const values = new Map<string, string | number>(specs.map((spec) => [spec.name, spec.default]));
  const listeners: ((name: string) => void)[] = [];
  const refusal = (knob: string, found: string, expected: string) => ({ knob, found, expected });
  return {
    specs,
    has: (name) => byName.has(name),
    read: (name) => String(values.get(name)),
    readNumber: (name) => Number(values.get(name)),
    write(name, text) {
      const spec = byName.get(name);
      if (spec === undefined) return refusal(name, text, "a knob of this kernel");
      if (spec.type === "choice") {
        if (!spec.choices.includes(text)) return refusal(name, text, knobRange(spec));
        values.set(name, text);
      } else {
        const value = acceptNumber(spec, text);
        if (value === undefined) return refusal(name, text, knobRange(spec));
        values.set(name, value);
      }
      for (const listener of listeners) listener(name);
      return undefined;
    },
    watch(listener) {
      listeners.push(listener);
      for (const spec of specs) listener(spec.name);
    },
  };
}
