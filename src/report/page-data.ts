/**
 * The results inside a page: one block of bytes that the page's script opens. The page itself, script and
 * style included, is a template that the bundler made; a report is the template with data in it.
 *
 *     columns ─▶ pack ─▶ [length of JSON][JSON][bytes] ─▶ gzip, base64 (by the face) ─▶ template
 */
import { UserError } from "../lib/assert.ts";
import type { EventColumns, Recording } from "../metrics/recording.ts";
import { decodeUtf8, encodeUtf8 } from "../workloads/trace/bytes.ts";
import { escapeText } from "./markup.ts";
import { pack, unpack } from "./pack.ts";
import type { Column } from "./table.ts";
import { PLAIN, renderText } from "./text.ts";
import type { Measurement } from "./trust.ts";

const FORMAT = "pagewise-page";
const VERSION = 1;

export interface PageData {
  readonly columns: readonly Column[];
  readonly version: string;
  /** The command that makes it again; empty when unknown. */
  readonly command: string;
  readonly measurements: readonly Measurement[];
}

/** Where the data stand in a page. */
export const PAGE_DATA_ID = "pagewise-data";
const PLACE = "<!--pagewise-data-->";

/** Most events that a page embeds, over all columns; more are thinned. */
const EVENTS_MAX = 400_000;

const LENGTH_BYTES = 4;

/** The data as bytes, not yet compressed. */
export function encodePage(data: PageData): Uint8Array {
  const events = data.columns.reduce((sum, { recording }) => sum + (recording?.events.count ?? 0), 0);
  const step = Math.ceil(events / EVENTS_MAX);
  const columns = data.columns.map((column) =>
    column.recording === undefined || step <= 1
      ? column
      : { ...column, recording: thinned(column.recording, step) },
  );
  const { json, bytes } = pack({ format: FORMAT, pageVersion: VERSION, ...data, columns });
  const text = encodeUtf8(json);
  const whole = new Uint8Array(LENGTH_BYTES + text.length + bytes.length);
  new DataView(whole.buffer).setUint32(0, text.length, true);
  whole.set(text, LENGTH_BYTES);
  whole.set(bytes, LENGTH_BYTES + text.length);
  return whole;
}

/** Every `step`-th event; what was left out counts as dropped. */
function thinned(recording: Recording, step: number): Recording {
  const { events } = recording;
  const kept = Math.ceil(events.count / step);
  const some = Object.fromEntries(
    Object.entries(events).map(([name, value]) => [
      name,
      typeof value === "number" ? value : value.filter((_: number, i: number) => i % step === 0),
    ]),
  );
  const dropped = events.dropped + events.count - kept;
  return { ...recording, events: { ...(some as unknown as EventColumns), count: kept, dropped } };
}

/** The data again. Throws `UserError` when they are damaged or from the future. */
export function decodePage(bytes: Uint8Array, file: string): PageData {
  const length =
    bytes.length < LENGTH_BYTES ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (length === 0 || LENGTH_BYTES + length > bytes.length) {
    throw new UserError("the results inside are cut off", { file });
  }
  const json = decodeUtf8(bytes, LENGTH_BYTES, LENGTH_BYTES + length);
  const data = unpack({ json, bytes: bytes.subarray(LENGTH_BYTES + length) }) as PageData & {
    readonly format: string;
    readonly pageVersion: number;
  };
  if (data.format !== FORMAT) throw new UserError("the results inside are none of Pagewise's", { file });
  if (data.pageVersion > VERSION) {
    throw new UserError(
      `its version is ${data.pageVersion}, this Pagewise reads up to ${VERSION}: take a newer one`,
      { file },
    );
  }
  const { columns, version, command, measurements } = data;
  return { columns, version, command, measurements };
}

/** What those read who have no scripts: the text of the command line. */
function plainText({ columns, version, measurements }: PageData): string {
  const plain = { mode: "human", counters: false, widthChars: 120, painter: PLAIN } as const;
  return renderText(columns, { ...plain, version, measurements });
}

/**
 * The page that opens with these results. `template` is the built page, `pack64` compresses with gzip and
 * writes base64. The same results give the same bytes, as far as `pack64` does.
 */
export function renderHtml(template: string, data: PageData, pack64: (bytes: Uint8Array) => string): string {
  const [before, behind] = template.split(PLACE);
  if (before === undefined || behind === undefined) {
    throw new UserError("this is not the page's template: it has no place for data");
  }
  const title = `${data.columns[0]?.result.workload ?? ""} · Pagewise`;
  return (
    before.replace("<title>Pagewise</title>", () => `<title>${escapeText(title)}</title>`) +
    `<script type="application/octet-stream" id="${PAGE_DATA_ID}">${pack64(encodePage(data))}</script>` +
    `<noscript><pre>${escapeText(plainText(data))}</pre></noscript>` +
    behind
  );
}

/** The data of a page, still compressed; undefined when it holds none. */
export function readPageText(html: string): string | undefined {
  const start = html.indexOf(`id="${PAGE_DATA_ID}">`);
  if (start < 0) return undefined;
  const from = start + PAGE_DATA_ID.length + 5;
  const to = html.indexOf("</script>", from);
  return to < 0 ? html.slice(from) : html.slice(from, to);
}
