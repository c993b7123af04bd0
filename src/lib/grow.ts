/** Columns that grow: typed arrays for appending, which double when they are full. */

type Numbers = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

export interface Grown<T extends Numbers> {
  readonly length: number;
  /** The array so far; taken anew after every push. */
  readonly array: T;
  push(value: number): void;
  /** The array cut to its length, as a copy. */
  taken(): T;
  /** Keeps the first `length` values. */
  cut(length: number): void;
}

/** An empty column of that type. */
export function makeGrown<T extends Numbers>(Type: new (length: number) => T, capacity = 256): Grown<T> {
  let array = new Type(capacity);
  let length = 0;
  return {
    get length() {
      return length;
    },
    get array() {
      return array;
    },
    push(value) {
      if (length === array.length) {
        const grown = new Type(length * 2);
        grown.set(array);
        array = grown;
      }
      array[length++] = value;
    },
    taken: () => array.slice(0, length) as T,
    cut(to) {
      length = Math.min(length, to);
    },
  };
}
