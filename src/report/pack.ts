/**
 * Plain data with typed arrays inside, as JSON and bytes: what a page embeds and a result file holds.
 *
 *     { tNs: Float64Array[0, 5, 9] }  ──▶  { "tNs": { "$": ["f64", 3, 0] } }  +  bytes 00 0a 08
 *
 * Columns of whole numbers become differences, zigzag and seven bits a byte; other columns stay eight bytes a
 * number. What follows (gzip) then has little left to do.
 */
import { UserError } from "../lib/assert.ts";

const TYPES = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f64: Float64Array,
} as const;
type TypeName = keyof typeof TYPES;
type Column = InstanceType<(typeof TYPES)[TypeName]>;

export interface Packed {
  readonly json: string;
  readonly bytes: Uint8Array;
}

function typeOf(value: object): TypeName | undefined {
  for (const [name, Type] of Object.entries(TYPES)) if (value instanceof Type) return name as TypeName;
  return undefined;
}

class Bytes {
  bytes = new Uint8Array(1 << 16);
  length = 0;

  push(byte: number): void {
    if (this.length === this.bytes.length) {
      const grown = new Uint8Array(this.length * 2);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes[this.length++] = byte;
  }

  /** Zigzag, seven bits a byte; safe integers only. */
  pushSigned(value: number): void {
    let rest = value < 0 ? -value * 2 - 1 : value * 2;
    while (rest >= 128) {
      this.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.push(rest);
  }
}

/** Half of the safe integers: zigzag doubles. */
const WHOLE_MAX = 2 ** 51;

function isWhole(column: Column): boolean {
  if (!(column instanceof Float64Array)) return true;
  return column.every(
    (value) => Number.isInteger(value) && Math.abs(value) < WHOLE_MAX && !Object.is(value, -0),
  );
}

function writeColumn(out: Bytes, column: Column): void {
  if (isWhole(column)) {
    let last = 0;
    for (const value of column) {
      out.pushSigned(value - last);
      last = value;
    }
    return;
  }
  const view = new DataView(new ArrayBuffer(8));
  for (const value of column) {
    view.setFloat64(0, value, true);
    for (let i = 0; i < 8; i++) out.push(view.getUint8(i));
  }
}

/** Packs plain data; typed arrays of 8, 16, 32 and 64 bits may stand anywhere in it. */
export function pack(value: unknown): Packed {
  const out = new Bytes();
  const json = JSON.stringify(value, (_, each: unknown) => {
    if (typeof each !== "object" || each === null) return each;
    const type = typeOf(each);
    if (type === undefined) return each;
    const column = each as Column;
    const at = out.length;
    writeColumn(out, column);
    return { $: [type, column.length, at, isWhole(column) ? 1 : 0] };
  });
  return { json, bytes: out.bytes.slice(0, out.length) };
}

function readWhole(bytes: Uint8Array, at: number, column: Column): void {
  let last = 0;
  for (let i = 0; i < column.length; i++) {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined) throw new UserError("the packed columns are cut off", { byteOffset: at });
      value += (byte & 127) * scale;
      if (byte < 128) break;
      scale *= 128;
    }
    last += value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    column[i] = last;
  }
}

function readColumn(bytes: Uint8Array, place: readonly [TypeName, number, number, number]): Column {
  const [type, length, at, whole] = place;
  const column = new TYPES[type](length);
  if (whole === 1) readWhole(bytes, at, column);
  else {
    if (at + length * 8 > bytes.length) throw new UserError("the packed columns are cut off");
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let i = 0; i < length; i++) column[i] = view.getFloat64(at + i * 8, true);
  }
  return column;
}

/** The data again, equal to what was packed. */
export function unpack({ json, bytes }: Packed): unknown {
  return JSON.parse(json, (_, each: unknown) => {
    if (typeof each !== "object" || each === null || !("$" in each)) return each;
    return readColumn(bytes, (each as { $: readonly [TypeName, number, number, number] }).$);
  });
}
