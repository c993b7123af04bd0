/** Choices by a seed. */
import { assert } from "../lib/assert.ts";
import { below, type Prng } from "../lib/prng.ts";

export function pick<T>(rng: Prng, choices: readonly T[]): T {
  assert(choices.length > 0, "there is something to pick from");
  return choices[below(rng, choices.length)]!;
}

/** Picks by weight. */
export function weighted<T>(rng: Prng, choices: readonly (readonly [weight: number, choice: T])[]): T {
  let left = below(
    rng,
    choices.reduce((sum, [weight]) => sum + weight, 0),
  );
  for (const [weight, choice] of choices) {
    if (left < weight) return choice;
    left -= weight;
  }
  throw new Error("unreachable: the weights add up");
}
