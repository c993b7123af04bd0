import { describe, expect, test } from "vitest";
import { UserError } from "../../lib/assert.ts";
import { REF, type TraceEvent } from "../records.ts";
import { decodeUtf8, encodeUtf8, makeBuffer, putVarint, takeVarint } from "./bytes.ts";
import { copyTrace } from "./copy.ts";
import { hash64, hashText } from "./hash.ts";
import { openTrace } from "./reader.ts";
import { summarizeTrace } from "./summary.ts";
import { traceAsText } from "./text.ts";
import { makeMemoryWriter, makeTraceWriter, type TraceWriter } from "./writer.ts";

/** Two threads, two slots, records of every kind and some events, in blocks of a few bytes. */
function write(w: TraceWriter): void {
  w.describe({ source: "test", program: "démo" });
  const a = w.thread({ pid: 7, tid: 7, process: 0, name: "a" });
  w.slot(0, 0x3fffe00);
  w.reference(a, 3, REF.WRITE | REF.FIRST | REF.FAULT, 0, 1, 1000);
  w.reference(a, 4, REF.READ | REF.FIRST, 64, 0, 1000);
  w.reference(a, 3, REF.READ_WRITE, 5, 4_000_000_000, 4_294_967_295);
  const b = w.thread({ pid: 7, tid: 8, process: 0, name: "b" });
  w.event({ kind: "thread", thread: a, gap: 5, child: b });
  w.slot(0, 0x2aaaaaa);
  w.reference(b, 512 + 511, REF.EXECUTE, 1_000_000, 0, 0);
  w.event({ kind: "exit", thread: b, gap: 2 ** 40, process: false });
  w.reference(a, 4, REF.READ | REF.PROTECTION | REF.KERNEL, 1, 0, 0);
}

function stored(options: Parameters<typeof makeMemoryWriter>[0] = {}): Uint8Array {
  const w = makeMemoryWriter(options);
  write(w);
  w.end();
  return w.bytes();
}

function textOf(bytes: Uint8Array): string {
  let text = "";
  traceAsText(openTrace(bytes), (part) => {
    text += part;
  });
  return text;
}

const PICTURE = [
  "thread 0: pid 7 tid 7 process 0 a",
  "0 +1000 w 7fffc0003000 0 1 first fault",
  "0 +1000 r 7fffc0004000 64 0 first",
  "0 +4294967295 u 7fffc0003000 5 4000000000",
  "thread 1: pid 7 tid 8 process 0 b",
  "0 +5 thread child=1",
  "1 +0 x 5555555ff000 1000000 0",
  "1 +1099511627776 exit",
  "0 +0 r 7fffc0004000 1 0 protection kernel",
  "#end",
  "",
].join("\n");

describe("the trace store", () => {
  test.each([1, 7, 30, 100, 1 << 18])("what was written comes back, in blocks of %i bytes", (blockBytes) => {
    expect(textOf(stored({ blockBytes }))).toContain(PICTURE);
  });

  test("the header keeps what is known of the whole", () => {
    expect(openTrace(stored()).header).toMatchObject({ source: "test", program: "démo", timeUnit: "ns" });
  });

  test("a trace without items is a trace", () => {
    const w = makeMemoryWriter();
    w.end();
    expect(openTrace(w.bytes()).next()).toBeUndefined();
  });

  test("the pieces in which a file is read do not matter", () => {
    const bytes = stored({ blockBytes: 20 });
    let at = 0;
    const reader = openTrace({ read: () => (at < bytes.length ? bytes.subarray(at, (at += 3)) : undefined) });
    expect(summarizeTrace(reader)).toEqual(summarizeTrace(openTrace(bytes)));
  });

  test("the hash names the contents, whatever the compression", () => {
    const half = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.length >> 1);
    const plain = openTrace(stored({ blockBytes: 64 }));
    const packed = makeMemoryWriter({ blockBytes: 64, codec: "zstd", compress: half });
    write(packed);
    const totals = packed.end();
    summarizeTrace(plain);
    expect(plain.totals).toEqual(totals);
  });

  test("a copy is the same trace", () => {
    const w = makeMemoryWriter();
    copyTrace(openTrace(stored({ blockBytes: 20 })), w);
    w.end();
    expect(w.bytes()).toEqual(stored());
  });

  test("longer batches than a reader's columns come in several", () => {
    const w = makeMemoryWriter();
    w.thread({ pid: 1, tid: 1, process: 0, name: "" });
    w.slot(0, 0);
    for (let i = 0; i < 40_000; i++) w.reference(0, i % 512, REF.READ, 1, 0, 0);
    expect(w.end().records).toBe(40_000);
    expect(summarizeTrace(openTrace(w.bytes()))).toMatchObject({
      records: 40_000,
      pages: 512,
      reads: 40_000,
    });
  });
});

describe("damage", () => {
  const bytes = stored({ blockBytes: 20 });
  const readAll = (damaged: Uint8Array): void => {
    summarizeTrace(openTrace(damaged, {}, "t.pwt"));
  };

  test("a file cut off anywhere is refused, with the block where it ends", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readAll(bytes.subarray(0, length)), `${length} bytes`).toThrow(UserError);
    }
    expect(() => readAll(bytes.subarray(0, bytes.length - 5))).toThrow(
      /cut off in block \d+: 5 of its \d+ bytes/,
    );
  });

  test("cut off anywhere behind its header, it can be read up to its last whole block to be saved", () => {
    const whole = summarizeTrace(openTrace(bytes));
    let records = 0;
    for (let length = 400; length < bytes.length; length++) {
      const reader = openTrace(bytes.subarray(0, length), {}, "t.pwt", { salvage: true });
      const saved = summarizeTrace(reader);
      expect(saved.records).toBeGreaterThanOrEqual(records);
      records = saved.records;
      expect(reader.cutOff).toMatch(/^cut off in block \d+/);
    }
    expect(records).toBe(whole.records);
  });

  test("what was flushed is there when its writer is killed, and nothing of it twice at its end", () => {
    const w = makeMemoryWriter();
    write(w);
    w.flush();
    const killed = w.bytes();
    const reader = openTrace(killed, {}, "t.pwt", { salvage: true });
    expect(summarizeTrace(reader)).toEqual(summarizeTrace(openTrace(stored())));
    w.flush();
    w.end();
    expect(summarizeTrace(openTrace(w.bytes()))).toEqual(summarizeTrace(openTrace(stored())));
  });

  test("any byte that differs is noticed", () => {
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at]! ^= 0x10;
      expect(() => readAll(damaged), `byte ${at}`).toThrow(UserError);
    }
  });

  test("bytes behind the end are noticed", () => {
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(() => readAll(longer)).toThrow("bytes follow the end of the trace");
  });

  test("another version is named", () => {
    const newer = bytes.slice();
    newer[3] = 2;
    expect(() => readAll(newer)).toThrow("format version 2; this program reads version 1");
  });

  test("the place of damage is told", () => {
    const damaged = bytes.slice();
    damaged[damaged.length - 1]! ^= 1;
    try {
      readAll(damaged);
      expect.unreachable();
    } catch (error) {
      expect((error as UserError).place).toMatchObject({ file: "t.pwt", byteOffset: expect.any(Number) });
    }
  });
});

describe("parts of the format", () => {
  test.each([0, 1, 127, 128, 16383, 16384, 2 ** 32, 2 ** 47 + 1, Number.MAX_SAFE_INTEGER])(
    "varint %i",
    (value) => {
      const b = makeBuffer(1);
      putVarint(b, value);
      expect(takeVarint({ bytes: b.bytes, at: 0, end: b.length })).toBe(value);
    },
  );

  test.each(["", "plain", "größer ✓ 𝄞"])("UTF-8 %s", (text) => {
    const bytes = encodeUtf8(text);
    expect(bytes).toEqual(new TextEncoder().encode(text));
    expect(decodeUtf8(bytes, 0, bytes.length)).toBe(text);
  });

  test("the hash is fixed: these are the documented examples", () => {
    const bytes = Uint8Array.from({ length: 37 }, (_, i) => i);
    expect([hashText(hash64(new Uint8Array(0))), hashText(hash64(bytes))]).toMatchInlineSnapshot(`
      [
        "5a71dfa809b32fab",
        "5bb1389df35072b8",
      ]
    `);
  });

  test("every kind of event survives", () => {
    const events: TraceEvent[] = [
      {
        kind: "map",
        thread: 0,
        gap: 1,
        start: 0x7ffff7a00000,
        length: 0x200000,
        prot: 3,
        shared: true,
        fixed: false,
        stack: true,
        file: false,
        noreserve: true,
        populate: false,
      },
      { kind: "unmap", thread: 0, gap: 0, start: 4096, length: 8192 },
      {
        kind: "remap",
        thread: 0,
        gap: 0,
        start: 4096,
        length: 8192,
        newStart: 0,
        newLength: 4096,
        fixed: true,
      },
      { kind: "protect", thread: 0, gap: 0, start: 4096, length: 8192, prot: 7 },
      { kind: "advise", thread: 0, gap: 0, start: 4096, length: 8192, advice: "dofork" },
      { kind: "brk", thread: 0, gap: 0, start: 4096, end: 5000 },
      { kind: "fork", thread: 0, gap: 0, child: 0, vfork: true },
      { kind: "exec", thread: 0, gap: 0, name: "größer" },
      { kind: "cpu", thread: 0, gap: 0, cpu: 255 },
      { kind: "thp-disable", thread: 0, gap: 0, value: 3 },
      { kind: "file-rss", thread: 0, gap: 0, pages: 77 },
      { kind: "lost", thread: 0, gap: 0, what: "a line" },
      { kind: "exit", thread: 0, gap: 2 ** 50, process: true },
    ];
    const w = makeMemoryWriter({ blockBytes: 40 });
    w.thread({ pid: 1, tid: 1, process: 0, name: "" });
    for (const event of events) w.event(event);
    w.end();
    const reader = openTrace(w.bytes());
    for (const event of events) expect(reader.next()).toEqual(event);
    expect(reader.next()).toBeUndefined();
  });
});

test("a trace whose file could not grow any more ends behind the last block that was taken", () => {
  const parts: Uint8Array[] = [];
  let room = 7;
  const w = makeTraceWriter({
    blockBytes: 8,
    write(bytes) {
      if (room-- === 0) throw new Error("the disk is full");
      parts.push(bytes);
    },
  });
  expect(() => write(w)).toThrow("the disk is full");
  room = 1;
  const totals = w.abandon({ wallS: 1 });
  const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
  const whole = textOf(stored({ blockBytes: 8 })).split("\n");
  const kept = textOf(bytes).split("\n");
  expect(kept.length).toBeLessThan(whole.length);
  expect(kept.slice(0, -2)).toEqual(whole.slice(0, kept.length - 2));
  const summary = summarizeTrace(openTrace(bytes));
  expect(summary).toMatchObject({ records: totals.records, threads: totals.threads, slots: totals.slots });
});
