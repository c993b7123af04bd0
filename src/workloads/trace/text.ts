/**
 * A trace as text, for people and for grep: one line an item, defined in docs/trace-format.md.
 *
 *     thread 1: pid 20764 tid 20766 process 1 redis-server
 *     1 +3000 w 7ffff7df9000 0 1 first fault
 *     1 +12000 map start=0x7ffff7c00000 length=0x2ed000 prot=1 file
 */
import { isBatch, REF, type RefBatch, type TraceEvent, type TraceReader } from "../records.ts";
import { SLOT_BYTES, SLOT_PAGES } from "./sink.ts";

const LETTERS = "rwux";
const FLAGS = [
  [REF.FIRST, "first"],
  [REF.FAULT, "fault"],
  [REF.PROTECTION, "protection"],
  [REF.KERNEL, "kernel"],
] as const;
/** Fields that are addresses or lengths: shown in hexadecimal. */
const HEX_FIELDS: readonly string[] = ["start", "length", "newStart", "newLength", "end"];

/** Hands out the text in pieces of some lines. */
export function traceAsText(reader: TraceReader, write: (text: string) => void): void {
  const { source, program, timeUnit, coverage, layout, recordedUnder } = reader.header;
  write(`#pagewise trace as text, version 1\n#source ${source}\n#program ${program}\n#unit ${timeUnit}\n`);
  write(`#coverage ${coverage}\n#layout ${layout}\n#recorded-under ${recordedUnder}\n`);
  let announced = 0;
  for (let item = reader.next(); item !== undefined; item = reader.next()) {
    for (; announced < reader.threads.length; announced++) {
      const { pid, tid, process, name } = reader.threads[announced]!;
      write(`thread ${announced}: pid ${pid} tid ${tid} process ${process} ${name}\n`);
    }
    write(isBatch(item) ? batchText(reader, item) : eventText(item));
  }
  write("#end\n");
}

function batchText(reader: TraceReader, batch: RefBatch): string {
  const { region } = reader.regions;
  let text = "";
  for (let i = 0; i < batch.length; i++) {
    const page = batch.page[i]!;
    const address = region[Math.floor(page / SLOT_PAGES)]! * SLOT_BYTES + (page % SLOT_PAGES) * 4096;
    const kind = batch.kind[i]!;
    text += `${batch.thread} +${batch.gap[i]} ${LETTERS[kind & REF.KIND]} ${address.toString(16)} `;
    text += `${batch.reads[i]} ${batch.writes[i]}`;
    for (const [bit, word] of FLAGS) if ((kind & bit) !== 0) text += " " + word;
    text += "\n";
  }
  return text;
}

function eventText(event: TraceEvent): string {
  let text = `${event.thread} +${event.gap} ${event.kind}`;
  for (const [name, value] of Object.entries(event)) {
    if (name === "thread" || name === "gap" || name === "kind" || value === false) continue;
    if (value === true) text += " " + name;
    else if (HEX_FIELDS.includes(name)) text += ` ${name}=0x${(value as number).toString(16)}`;
    else text += ` ${name}=${value}`;
  }
  return text + "\n";
}
