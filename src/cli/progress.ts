/** How far a run is, how fast it goes, and how long it will still take: one line. */
import { formatTime } from "../report/format.ts";

export interface HowFar {
  /** What the run is called, and what it says of itself. */
  readonly text: string;
  /** Records replayed so far. */
  readonly records: number;
  /** 0 to 1; undefined while nobody knows. */
  readonly share: number | undefined;
  readonly elapsedMs: number;
}

const SHARE_LEAST = 0.02;

function rateText(records: number, elapsedMs: number): string {
  const rate = (records / Math.max(1, elapsedMs)) * 1000;
  if (rate >= 1e6) return `${(rate / 1e6).toFixed(1)} M records/s`;
  if (rate >= 1e3) return `${(rate / 1e3).toFixed(0)} k records/s`;
  return `${rate.toFixed(0)} records/s`;
}

/** The line. The time left is told once a fiftieth of the input has been read. */
export function progressText({ text, records, share, elapsedMs }: HowFar): string {
  const parts = [text, rateText(records, elapsedMs)];
  if (share !== undefined && share >= SHARE_LEAST) {
    const leftS = Math.ceil(((elapsedMs / share) * (1 - share)) / 1000);
    parts.push(`${Math.floor(share * 100)}%`, `${formatTime(leftS * 1e9)} left`);
  }
  return parts.join(", ");
}
