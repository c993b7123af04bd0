/** The time cursor over charts, and the part that is being dragged: they move without charts being drawn. */
import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { oncePerFrame } from "../draw/chart.tsx";
import { xOfTime } from "../draw/time.ts";
import { cursorNs, timeRange } from "../state.ts";

export function Cursor({ drag }: { drag: { readonly value: readonly [number, number] | undefined } }) {
  const line = useRef<HTMLDivElement>(null);
  const part = useRef<HTMLDivElement>(null);
  // Asking the browser for it at each move would make it lay the page out at once.
  const width = useRef(0);
  const place = (): void => {
    const [from, to] = timeRange.value;
    const ns = cursorNs.value;
    const dragged = drag.value;
    if (line.current === null || part.current === null) return;
    line.current.style.visibility = ns < from || ns > to ? "hidden" : "visible";
    line.current.style.transform = `translateX(${xOfTime([from, to], width.current, ns)}px)`;
    part.current.style.visibility = dragged === undefined ? "hidden" : "visible";
    if (dragged === undefined) return;
    const [a, b] = dragged.map((each) => xOfTime([from, to], width.current, each)) as [number, number];
    part.current.style.transform = `translateX(${Math.min(a, b)}px)`;
    part.current.style.width = `${Math.abs(b - a)}px`;
  };
  useSignalEffect(place);
  useEffect(() => {
    const charts = line.current!.parentElement!;
    const measure = (): void => {
      width.current = charts.clientWidth;
      place();
    };
    measure();
    const observer = new ResizeObserver(oncePerFrame(measure));
    observer.observe(charts);
    return () => observer.disconnect();
  }, []);
  return (
    <>
      <div ref={line} class="cursor" aria-hidden="true" />
      <div ref={part} class="dragged" aria-hidden="true" />
    </>
  );
}
