/** Going through steps one by one: buttons, and the keys of whatever holds the steps. */
import { step } from "../state.ts";

/** Goes to a step, as near as there is one; tells screen readers what it is. */
export function goToStep(to: number, count: number): void {
  step.value = Math.max(0, Math.min(count - 1, to));
}

/** Keys of a list of steps: up, down, to its ends. */
export function stepKeys(count: number): (key: KeyboardEvent) => void {
  return (key) => {
    const at = step.value;
    const places = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, Home: 0, End: count };
    const to = places[key.key as keyof typeof places];
    if (to === undefined || key.ctrlKey || key.metaKey) return;
    key.preventDefault();
    key.stopPropagation();
    goToStep(to, count);
  };
}

/** Back, where one is, and on. */
export function Stepper({ count, told }: { count: number; told: string }) {
  const at = Math.min(step.value, count - 1);
  return (
    <div class="stepper">
      <button type="button" onClick={() => goToStep(at - 1, count)} disabled={at <= 0}>
        ← back
      </button>
      <output aria-live="polite">{told}</output>
      <button type="button" onClick={() => goToStep(at + 1, count)} disabled={at >= count - 1}>
        next →
      </button>
    </div>
  );
}
