import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { REF } from "../records.ts";
import { flushFold, foldCode, foldData, makeFold } from "./fold.ts";

/** Folds `Ic Ld Sd Md` words: a kind and a page's letter. Answers runs as `c:x2 d:r1w1`. */
function fold(picture: string): string {
  const runs: string[] = [];
  const take = (vpn: number, kind: number, reads: number, writes: number): void => {
    const page = String.fromCharCode(vpn);
    const letter = "rwux"[kind]!;
    runs.push(`${page}:${letter}${reads}${writes > 0 ? "+" + writes : ""}`);
  };
  const f = makeFold();
  picture.split(" ").forEach((word, time) => {
    const vpn = word.charCodeAt(1);
    if (word[0] === "I") foldCode(f, vpn, time, take);
    else foldData(f, vpn, word[0] === "S" ? 0 : 1, word[0] === "L" ? 0 : 1, time, take);
  });
  flushFold(f, take);
  return runs.join(" ");
}

describe("folding references into page runs", () => {
  test("consecutive references to one page become one run", () => {
    expect(fold("La La La")).toBe("a:r3");
    expect(fold("La Lb Lb La")).toBe("a:r1 b:r2 a:r1");
  });

  test("the first access decides between write and read-then-write", () => {
    expect(fold("Sa La")).toBe("a:w1+1");
    expect(fold("La Sa")).toBe("a:u1+1");
    expect(fold("Ma La")).toBe("a:w2+1");
  });

  test("instructions and data of one page each fold beside one another", () => {
    expect(fold("Ic La Ic La Ic Sa")).toBe("c:x3 a:u2+1");
  });

  test("instructions after the last data reference open the next window", () => {
    expect(fold("Ic La Ic La Ic Lb")).toBe("c:x2 a:r2 c:x1 b:r1");
  });

  test("one instruction may touch two data pages", () => {
    expect(fold("Ic La Lb Ic Lb")).toBe("c:x1 a:r1 b:r1 c:x1 b:r1");
  });

  test("a jump to another code page closes the window", () => {
    expect(fold("Ic La Ic Id La")).toBe("c:x1 a:r1 c:x1 d:x1 a:r1");
  });
});

/**
 * Strategy: random streams over few pages, raw and folded, into a fully associative LRU of every size from 2
 * to 5. Invariants: the same misses in the same order, the same order of recency at the end, the same counts
 * for each page.
 */
describe("the fold loses nothing that an LRU would see", () => {
  const reference = fc.record({
    use: fc.constantFrom("I", "L", "S", "M"),
    page: fc.integer({ min: 0, max: 4 }),
  });

  test.each([2, 3, 4, 5])("LRU of %i entries", (entries) => {
    const claim = fc.property(fc.array(reference, { maxLength: 60 }), (stream) => {
      const raw = lru(entries);
      const folded = lru(entries);
      const counts = new Map<number, number[]>();
      const take = (vpn: number, kind: number, reads: number, writes: number): void => {
        folded.touch(vpn);
        const sum = counts.get(vpn) ?? [0, 0, 0];
        sum[kind === REF.EXECUTE ? 2 : 0]! += reads;
        sum[1]! += writes;
        counts.set(vpn, sum);
      };
      const f = makeFold();
      const truth = new Map<number, number[]>();
      stream.forEach(({ use, page }, time) => {
        // Code and data have pages of their own, as in programs.
        const vpn = use === "I" ? page + 100 : page;
        raw.touch(vpn);
        const reads = use === "S" ? 0 : 1;
        const writes = use === "S" || use === "M" ? 1 : 0;
        const sum = truth.get(vpn) ?? [0, 0, 0];
        sum[use === "I" ? 2 : 0]! += reads;
        sum[1]! += writes;
        truth.set(vpn, sum);
        if (use === "I") foldCode(f, vpn, time, take);
        else foldData(f, vpn, reads, writes, time, take);
      });
      flushFold(f, take);
      expect(folded.misses).toEqual(raw.misses);
      expect(folded.order).toEqual(raw.order);
      expect([...counts].sort()).toEqual([...truth].sort());
    });
    fc.assert(claim, { numRuns: 300 });
  });
});

function lru(entries: number): { misses: number[]; order: number[]; touch(vpn: number): void } {
  const misses: number[] = [];
  const order: number[] = [];
  return {
    misses,
    order,
    touch(vpn) {
      const at = order.indexOf(vpn);
      if (at < 0) {
        misses.push(vpn);
        if (order.length === entries) order.pop();
      } else order.splice(at, 1);
      order.unshift(vpn);
    },
  };
}
