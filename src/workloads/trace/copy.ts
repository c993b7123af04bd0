/** Writes what a reader reads: to store a trace that was changed on the way. */
import { isBatch, type TraceReader } from "../records.ts";
import type { TraceSink } from "./sink.ts";

/** Copies all items, announcing threads and slots just before their first use. Does not end the sink. */
export function copyTrace(reader: TraceReader, sink: TraceSink): void {
  sink.describe(reader.header);
  let threads = 0;
  let slots = 0;
  for (let item = reader.next(); item !== undefined; item = reader.next()) {
    for (; threads < reader.threads.length; threads++) {
      const { pid, tid, process, name } = reader.threads[threads]!;
      sink.thread({ pid, tid, process, name });
    }
    const { regions } = reader;
    for (; slots < regions.count; slots++) sink.slot(regions.process[slots]!, regions.region[slots]!);
    if (!isBatch(item)) {
      sink.event(item);
      continue;
    }
    const { page, kind, reads, writes, gap } = item;
    for (let i = 0; i < item.length; i++) {
      sink.reference(item.thread, page[i]!, kind[i]!, reads[i]!, writes[i]!, gap[i]!);
    }
  }
}
