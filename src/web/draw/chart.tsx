/** A chart: a canvas that keeps its size and theme, with a name for screen readers and an SVG to save. */
import { useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { step, theme, timeRange } from "../state.ts";
import { DARK, LIGHT, type Theme } from "../theme.ts";
import { saveFile } from "./save.ts";
import { canvasSurface, type Surface, svgSurface } from "./surface.ts";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface ChartProps {
  readonly name: string;
  /** What is to be seen, for people who cannot. */
  readonly label: string;
  readonly height: number;
  /** Draws all of it: when it is rendered anew, and when theme, shown time or step change. */
  readonly paint: (surface: Surface, size: Size, theme: Theme) => void;
  readonly onPointer?: (event: PointerEvent, x: number, y: number, size: Size) => void;
  readonly onWheel?: (event: WheelEvent, x: number, y: number, size: Size) => void;
  readonly onLeave?: () => void;
  readonly onKey?: (event: KeyboardEvent) => void;
}

export const themeNow = (): Theme => (theme.value === "dark" ? DARK : LIGHT);

/** Fits a canvas to its place on the screen; returns its size in CSS pixels. */
export function fitCanvas(canvas: HTMLCanvasElement, height: number): Size {
  const width = Math.max(160, canvas.parentElement?.clientWidth ?? 800);
  const scale = devicePixelRatio || 1;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  canvas.getContext("2d")!.setTransform(scale, 0, 0, scale, 0, 0);
  return { width, height };
}

/** Runs `draw` once in each frame in which something asked for it. */
export function oncePerFrame(draw: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

/** Takes the wheel, unless a key says that the page is meant; `take` says whether it wanted it. */
function useWheel(
  canvas: { readonly current: HTMLCanvasElement | null },
  take: (event: WheelEvent) => boolean,
): void {
  useEffect(() => {
    const element = canvas.current!;
    const wheel = (event: WheelEvent): void => {
      if (!event.shiftKey && !event.ctrlKey && take(event)) event.preventDefault();
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, []);
}

export function Chart(props: ChartProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const now = useRef(props);
  now.current = props;
  const draw = useMemo(
    () =>
      oncePerFrame(() => {
        const element = canvas.current;
        if (element === null) return;
        const size = fitCanvas(element, now.current.height);
        const context = element.getContext("2d")!;
        const colours = themeNow();
        context.clearRect(0, 0, size.width, size.height);
        now.current.paint(canvasSurface(context), size, colours);
      }),
    [],
  );
  useSignalEffect(() => {
    void [timeRange.value, theme.value, step.value];
    draw();
  });
  useEffect(draw);
  useEffect(() => {
    const observer = new ResizeObserver(draw);
    observer.observe(canvas.current!.parentElement!);
    return () => observer.disconnect();
  }, []);
  const at = (event: PointerEvent | WheelEvent): [number, number, Size] => {
    const box = canvas.current!.getBoundingClientRect();
    const size = { width: box.width, height: box.height };
    return [event.clientX - box.left, event.clientY - box.top, size];
  };
  useWheel(canvas, (event) => {
    if (now.current.onWheel === undefined) return false;
    now.current.onWheel(event, ...at(event));
    return true;
  });
  const pointer = (event: PointerEvent): void => now.current.onPointer?.(event, ...at(event));
  return (
    <div class="chart" data-chart={props.name}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={props.label}
        tabIndex={props.onKey === undefined ? -1 : 0}
        onPointerMove={pointer}
        onPointerDown={pointer}
        onPointerUp={pointer}
        onPointerLeave={() => now.current.onLeave?.()}
        onKeyDown={(event) => now.current.onKey?.(event)}
      />
      <SvgButton name={props.name} height={props.height} paint={props.paint} canvas={canvas} />
    </div>
  );
}

interface SvgButtonProps extends Pick<ChartProps, "name" | "height" | "paint"> {
  readonly canvas: { readonly current: HTMLCanvasElement | null };
}

/** Papers are light, whatever the page is. */
function SvgButton({ name, height, paint, canvas }: SvgButtonProps) {
  const save = (): void => {
    const width = canvas.current?.clientWidth ?? 900;
    const surface = svgSurface(width, height, LIGHT.card);
    paint(surface, { width, height }, LIGHT);
    saveFile(`pagewise-${name}.svg`, "image/svg+xml", surface.svg());
  };
  return (
    <button type="button" class="save" title="Save this chart as SVG" onClick={save}>
      SVG
    </button>
  );
}
