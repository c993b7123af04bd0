/** The threshold study: memory and waits against promotion_threshold, when the columns differ by it. */
import { formatBytes, formatTime } from "../../report/format.ts";
import type { Column } from "../../report/table.ts";
import { type ThresholdPoint, thresholdPoints } from "../../report/thresholds.ts";
import { Chart } from "../draw/chart.tsx";
import { type Curve, paintThresholds } from "../draw/thresholds.ts";

const MEMORY: readonly Curve[] = [{ name: "peak", of: ({ peakBytes }) => peakBytes }];
const WAITS: readonly Curve[] = [
  { name: "p50", of: ({ p50Ns }) => p50Ns },
  { name: "p99", of: ({ p99Ns }) => p99Ns },
  { name: "p99.9", of: ({ p999Ns }) => p999Ns },
];
const HEIGHT = 210;

/** A chart in words: each point with its figures. */
function inWords(points: readonly ThresholdPoint[], figure: (point: ThresholdPoint) => string): string {
  return points.map((point) => `${point.name}: ${figure(point)}`).join("; ");
}

export function ThresholdStudy({ all }: { all: readonly Column[] }) {
  const points = thresholdPoints(all);
  if (points.length === 0) return null;
  return (
    <section aria-label="Thresholds">
      <h2>Against the threshold</h2>
      <p class="note">
        How many pages of a region must be touched before its reservation becomes a huge page: 1 is the first
        touch, as without reservations. Below each threshold: reservations that were promoted, of those made.
        The axis of waits is logarithmic.
      </p>
      <div class="multiples wide">
        <figure>
          <figcaption>Resident memory, peak of all processes</figcaption>
          <Chart
            name="threshold-memory"
            label={`Peak of resident memory. ${inWords(points, ({ peakBytes }) => formatBytes(peakBytes))}`}
            height={HEIGHT}
            paint={(s, size, theme) =>
              paintThresholds(s, size, theme, { points, curves: MEMORY, kind: "bytes", format: formatBytes })
            }
          />
        </figure>
        <figure>
          <figcaption>Wait in one page fault</figcaption>
          <Chart
            name="threshold-wait"
            label={`Wait in one page fault, p99. ${inWords(points, ({ p99Ns }) => formatTime(p99Ns))}`}
            height={HEIGHT}
            paint={(s, size, theme) =>
              paintThresholds(s, size, theme, { points, curves: WAITS, kind: "ns", format: formatTime })
            }
          />
        </figure>
      </div>
    </section>
  );
}
