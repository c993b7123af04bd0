/** As much of protocol buffers' wire format as writing a trace takes: varints, doubles, texts, messages. */
import { encodeUtf8 } from "../workloads/trace/bytes.ts";

export interface ProtoWriter {
  bytes: Uint8Array;
  length: number;
}

export function makeProto(): ProtoWriter {
  return { bytes: new Uint8Array(1 << 10), length: 0 };
}

function room(w: ProtoWriter, more: number): void {
  if (w.length + more <= w.bytes.length) return;
  const grown = new Uint8Array(Math.max(w.bytes.length * 2, w.length + more));
  grown.set(w.bytes.subarray(0, w.length));
  w.bytes = grown;
}

/** A whole number from 0 to 2^53. */
function putVarint(w: ProtoWriter, value: number): void {
  room(w, 10);
  while (value >= 128) {
    w.bytes[w.length++] = (value % 128) | 128;
    value = Math.floor(value / 128);
  }
  w.bytes[w.length++] = value;
}

const putTag = (w: ProtoWriter, field: number, wire: number): void => putVarint(w, field * 8 + wire);

/** A field of type uint64, int64 (not negative), uint32, bool or enum. */
export function putNumber(w: ProtoWriter, field: number, value: number): void {
  putTag(w, field, 0);
  putVarint(w, value);
}

const eight = new DataView(new ArrayBuffer(8));

export function putDouble(w: ProtoWriter, field: number, value: number): void {
  putTag(w, field, 1);
  room(w, 8);
  eight.setFloat64(0, value, true);
  for (let i = 0; i < 8; i++) w.bytes[w.length++] = eight.getUint8(i);
}

export function putText(w: ProtoWriter, field: number, value: string): void {
  putRaw(w, field, encodeUtf8(value));
}

/** A message inside a message; `inner` is written and may be used again after `inner.length = 0`. */
export function putMessage(w: ProtoWriter, field: number, inner: ProtoWriter): void {
  putRaw(w, field, inner.bytes.subarray(0, inner.length));
}

function putRaw(w: ProtoWriter, field: number, bytes: Uint8Array): void {
  putTag(w, field, 2);
  putVarint(w, bytes.length);
  room(w, bytes.length);
  w.bytes.set(bytes, w.length);
  w.length += bytes.length;
}
