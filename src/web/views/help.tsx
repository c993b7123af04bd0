/** What keys and pointer do. */
import { useEffect, useRef } from "preact/hooks";
import { helpOpen } from "../state.ts";

const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ["1 … 5", "the views: Compare, Timeline, Address map, Fault walk, Race"],
  ["[ and ]", "the run before, the next run"],
  ["W S, wheel", "zoom in and out; the wheel zooms at the pointer"],
  ["A D, ← →", "earlier and later; on the map A, D, ↑, ↓ move it"],
  [", and .", "the time cursor one step back or on"],
  ["drag", "on a chart over time: show that part; on the map: move it"],
  ["0", "show everything"],
  ["N P", "on the map: the next region, the one before"],
  ["↑ ↓, J K", "in the lists of events and steps"],
  ["Enter, →", "in Fault walk and Race: the next step; ← goes back"],
  ["T", "light or dark"],
  ["?", "this help; Esc closes it"],
];

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current!;
    if (helpOpen.value && !element.open) element.showModal();
    if (!helpOpen.value && element.open) element.close();
  }, [helpOpen.value]);
  return (
    <dialog ref={dialog} onClose={() => (helpOpen.value = false)} aria-label="Keys">
      <h2>Keys and pointer</h2>
      <dl>
        {KEYS.map(([keys, does]) => (
          <>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </>
        ))}
      </dl>
      <p class="note">The address says where you are: who opens it with the same file sees the same.</p>
      <button type="button" onClick={() => (helpOpen.value = false)}>
        Close
      </button>
    </dialog>
  );
}
