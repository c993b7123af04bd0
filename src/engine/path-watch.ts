/** Under `--verify`: every op that a path yields is held against the beliefs about paths. */
import { follow, type HeldLocks } from "../kernel/invariants-paths.ts";
import { assert } from "../lib/assert.ts";
import type { Watch } from "./driver-state.ts";

/** Looks at every op, then tells `inner` of it. Throws the belief that an op breaks. */
export function believing(inner: Watch | undefined): Watch {
  const held = new Map<number, HeldLocks>();
  return {
    op(runner, op) {
      let own = held.get(runner.id);
      if (own === undefined) {
        own = new Map();
        held.set(runner.id, own);
      }
      const wrong = follow(own, runner.name, op);
      assert(wrong === undefined, wrong ?? "");
      inner?.op(runner, op);
    },
    ran(runner, fromNs, toNs) {
      inner?.ran(runner, fromNs, toNs);
    },
  };
}
