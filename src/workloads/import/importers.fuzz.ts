/**
 * Strategy: sound texts of every small importer, with lines shuffled, bytes replaced, removed and cut off,
 * fed in chunks of any size.
 * Invariants: an import answers or refuses with `UserError`, whatever the bytes; where chunks are cut changes
 * nothing; the counts of the summary are those of the trace.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { importText } from "../../../test/samples/imported.ts";
import { UserError } from "../../lib/assert.ts";
import type { ImportFormat } from "./detect.ts";

function champsimRecord(seed: number): string {
  const view = new DataView(new ArrayBuffer(64));
  view.setBigUint64(0, BigInt(0x401000 + seed * 700), true);
  view.setBigUint64(16, BigInt((seed % 3) * 0x7f0000123456), true);
  view.setBigUint64(32, BigInt(0x600000 + seed * 5000), true);
  return String.fromCharCode(...new Uint8Array(view.buffer));
}

const SOUND: Readonly<Partial<Record<ImportFormat, readonly string[]>>> = {
  strace: [
    '7 1795266665.706308 execve("/usr/bin/sh", ["sh"], 0x7fff /* 39 vars */) = 0\n',
    "7 1795266665.707019 brk(NULL)       = 0x5632ff439000\n",
    "7 1795266665.707020 brk(0x5632ff45a000)       = 0x5632ff45a000\n",
    "7 1795266665.7 mmap(NULL, 8192, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7fa95b315000\n",
    "7 1795266665.8 mremap(0x7fa95b315000, 8192, 16384, MREMAP_MAYMOVE) = 0x7fa95b300000\n",
    "7 1795266665.8 vfork( <unfinished ...>\n",
    '8 1795266665.9 execve("/bin/ls", ["ls"], 0x56 /* 39 vars */ <unfinished ...>\n',
    "7 1795266666.0 <... vfork resumed>) = 8\n",
    "8 1795266666.1 <... execve resumed>) = 0\n",
    "7 1795266666.2 clone3({flags=CLONE_VM|CLONE_THREAD, child_tid=0x7f} => {parent_tid=[9]}, 88) = 9\n",
    "9 1795266666.3 munmap(0x7fa95b300000, 16384) = 0\n",
    "8 1795266666.4 +++ exited with 0 +++\n",
  ],
  pinatrace: [
    "0x401000: W 0x7ffd9e4f3a18\n",
    "0x401004: R 0x7ffd9e4f3a10\n",
    "0x401008: R 0x600000\n",
    "#eof\n",
  ],
  drmemtrace: [
    "  6   0: W0.T41 <marker: timestamp 13312410768080478>\n",
    "  7   0: W0.T41 <marker: W0.T41 on core 7>\n",
    "  8   1: W0.T41 ifetch       3 byte(s) @ 0x00007fc205a61940 48 89 e7   mov    %rsp, %rdi\n",
    "  9   1: W0.T41 write        8 byte(s) @ 0x00007fff9a9e3ffc by PC 0x00007fc205a61943\n",
    " 10   2: W1.T42 read         4 byte(s) @ 0x00007fc205a70000 by PC 0x00007fc205a61943\n",
  ],
  damon: [
    "monitoring_start:                0 ns\n",
    "target_id: 18446623438842320000\n",
    "563ebaa00000-563ebaa02000 (   8.000 KiB)           3    -1\n",
    "monitoring_end:            104.599 ms\n",
    "k 4452 [000] 8.3: damon:damon_aggregated: target_id=1 nr_regions=1 94827000000000-94827000008192: 2 3\n",
  ],
  champsim: [0, 1, 2, 3].map(champsimRecord),
};

interface Change {
  readonly at: number;
  readonly how: "replace" | "remove" | "cut" | "double";
  readonly byte: number;
}

/** The text after some damage. */
function damaged(pieces: readonly string[], order: readonly number[], changes: readonly Change[]): string {
  let text = order.map((i) => pieces[i % pieces.length]).join("");
  for (const { at, how, byte } of changes) {
    const place = at % Math.max(1, text.length);
    const letter = String.fromCharCode(byte);
    if (how === "replace") text = text.slice(0, place) + letter + text.slice(place + 1);
    else if (how === "remove") text = text.slice(0, place) + text.slice(place + 1 + (byte % 9));
    else if (how === "double") text = text.slice(0, place) + text.slice(Math.max(0, place - 20));
    else text = text.slice(0, place);
  }
  return text;
}

function outcome(format: ImportFormat, text: string, chunkBytes: number): unknown {
  try {
    return importText(format, text, chunkBytes);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

const change = fc.record({
  at: fc.nat(4000),
  how: fc.constantFrom("replace", "remove", "cut", "double"),
  byte: fc.constantFrom(0, 10, 32, 44, 48, 49, 57, 61, 102, 120, 255),
});

test.each(Object.keys(SOUND) as ImportFormat[])("%s survives damage, and chunks change nothing", (format) => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(20), { minLength: 1, maxLength: 30 }),
      fc.array(change, { maxLength: 6 }),
      fc.integer({ min: 1, max: 200 }),
      (order, changes, chunkBytes) => {
        const text = damaged(SOUND[format]!, order, changes);
        const whole = outcome(format, text, 1 << 16);
        expect(outcome(format, text, chunkBytes)).toEqual(whole);
        if (typeof whole !== "object") return;
        const { lines, summary } = whole as ReturnType<typeof importText>;
        expect(summary.records).toBe(lines.filter((line) => /^\d+ \+\d+ [rwux] /.test(line)).length);
        expect(summary.events).toBe(lines.filter((line) => /^\d+ \+\d+ [a-z-]{2,}/.test(line)).length);
      },
    ),
    { numRuns: 150 },
  );
});
