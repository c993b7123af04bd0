/** The canvas of the address map, with its pointer and keys, and what is known of the region beside it. */
import { useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { oncePerFrame } from "../draw/chart.tsx";
import type { PagesNow } from "../model/page-map.ts";
import { cursorNs, mapColour, region, theme } from "../state.ts";
import {
  drawControl,
  type MapControl,
  makeMapControl,
  mapKey,
  panMap,
  pointAt,
  pointNowhere,
  regionUnder,
  saveMap,
  selectRegion,
  setWidth,
  zoomMap,
} from "./map-control.ts";
import { RegionPanel } from "./region.tsx";

type Point = readonly [x: number, y: number];

function placeIn(event: PointerEvent | WheelEvent): Point {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/** Dragging moves the map, a click selects, elsewhere the pointer says what lies under it. */
function usePointer(control: MapControl) {
  const down = useRef<{ at: Point; moved: boolean } | undefined>(undefined);
  return {
    onPointerDown(event: PointerEvent): void {
      down.current = { at: placeIn(event), moved: false };
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
    },
    onPointerMove(event: PointerEvent): void {
      const [x, y] = placeIn(event);
      const from = down.current;
      if (from === undefined) {
        pointAt(control, x, y);
        return;
      }
      const [dx, dy] = [from.at[0] - x, from.at[1] - y];
      if (Math.abs(dx) + Math.abs(dy) < 3 && !from.moved) return;
      panMap(control, dx, dy);
      down.current = { at: [x, y], moved: true };
    },
    onPointerUp(event: PointerEvent): void {
      if (down.current?.moved === false) selectRegion(control, regionUnder(control, ...placeIn(event)));
      down.current = undefined;
    },
    onPointerLeave(): void {
      pointNowhere(control);
    },
  };
}

/** Draws when something that is seen changed, or the place on the screen did; takes the wheel. */
function useCanvas(control: MapControl) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const draw = useMemo(
    () =>
      oncePerFrame(() => {
        if (canvas.current !== null) drawControl(control, canvas.current);
      }),
    [control],
  );
  useSignalEffect(() => {
    const { view, hover } = control;
    void [cursorNs.value, view.value, mapColour.value, hover.value, region.value, theme.value];
    draw();
  });
  useEffect(() => {
    const element = canvas.current!;
    const observer = new ResizeObserver(() => {
      setWidth(control, Math.max(160, element.parentElement!.clientWidth));
      draw();
    });
    observer.observe(element.parentElement!);
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      const factor = Math.exp(-Math.max(-1, Math.min(1, event.deltaY / 240)));
      if (event.shiftKey) panMap(control, event.deltaY + event.deltaX, 0);
      else zoomMap(control, factor, ...placeIn(event));
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener("wheel", wheel);
    };
  }, [control]);
  return canvas;
}

export function MapCanvas({ pages }: { pages: PagesNow }) {
  const control = useMemo(() => makeMapControl(pages), [pages]);
  const canvas = useCanvas(control);
  const pointer = usePointer(control);
  const { map, mms } = pages.recording;
  const onKey = (event: KeyboardEvent): void => {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const action = plain ? mapKey(control, event.key) : undefined;
    if (action === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  const label =
    `Address map of ${map.regions.length} regions of ${mms.length} address spaces. ` +
    "n and p select a region, w and s zoom.";
  const hovered = control.hover.value;
  return (
    <div class="map-and-region">
      <div class="chart" data-chart="map">
        <canvas ref={canvas} role="img" tabIndex={0} aria-label={label} onKeyDown={onKey} {...pointer} />
        <button type="button" class="save" title="Save this map as SVG" onClick={() => saveMap(control)}>
          SVG
        </button>
      </div>
      <RegionPanel
        pages={pages}
        shownRegion={hovered >= 0 ? hovered : region.value}
        page={control.hoverPage.value}
      />
    </div>
  );
}
