import { describe, expect, test } from "vitest";
import { importText } from "../../../test/samples/imported.ts";

function lines(...text: string[]): readonly string[] {
  return importText("pwf", ["#pwf 1", "P 7", "T 1", ...text, "#end", ""].join("\n")).lines.slice(1);
}

describe("folded valgrind text", () => {
  test("runs keep page, kind, counts and time", () => {
    expect(lines("x401a 43 0 2", "w1fff000 2143 812 0", "u4033 87 52 1", "r4000 65 0 276")).toEqual([
      "0 +2 x 401a000 43 0 first",
      "0 +0 w 1fff000000 2143 812 first",
      "0 +1 u 4033000 87 52 first",
      "0 +276 r 4000000 65 0 first",
    ]);
  });

  test("calls have hexadecimal arguments, and a path before their time", () => {
    expect(
      lines(
        "r1 1 0 1",
        "! 1 mmap 0 1e1f50 1 802 4 0 = 4847000 /usr/lib/a b.so 51",
        "! 1 brk 0 = 4035000 0",
        "! 1 munmap 4847000 a93f = 0 5",
        "! 1 clone3 1fff0001e0 58 = -38 8",
        "! 1 exit_group 0 = 0 1",
      ),
    ).toEqual([
      "0 +1 r 1000 1 0 first",
      "0 +51 map start=0x4847000 length=0x1e2000 prot=1 file",
      "0 +0 brk start=0x4035000 end=0x4035000",
      "0 +5 unmap start=0x4847000 length=0xb000",
      "0 +9 exit process",
    ]);
  });

  test("an unmapped page is touched anew when it comes back", () => {
    expect(lines("w10 0 1 1", "w10 0 1 1", "! 1 munmap 10000 1000 = 0 0", "w10 0 1 1")).toEqual([
      "0 +1 w 10000 0 1 first",
      "0 +1 w 10000 0 1",
      "0 +0 unmap start=0x10000 length=0x1000",
      "0 +1 w 10000 0 1 first",
    ]);
  });

  test("pages that mremap moves stay touched", () => {
    expect(
      lines("w10 0 1 1", "! 1 mremap 10000 2000 4000 1 0 = 80000 0", "w80 0 1 1", "w81 0 1 1").slice(2),
    ).toEqual(["0 +1 w 80000 0 1", "0 +1 w 81000 0 1 first"]);
  });

  test("a heap that shrinks forgets its pages", () => {
    const grown = ["! 1 brk 0 = 10000 0", "! 1 brk 12000 = 12000 0", "w11 0 1 1"];
    const again = ["! 1 brk 11000 = 11000 0", "! 1 brk 12000 = 12000 0", "w11 0 1 1"];
    expect(lines(...grown, ...again).at(-1)).toBe("0 +1 w 11000 0 1 first");
  });

  test("a child may run before its parent's fork line; its clock starts at its parent's", () => {
    expect(
      lines(
        "w10 0 1 100",
        "P 8",
        "! 1 clone 1200011 0 0 0 0 = 0 0",
        "w10 0 1 1",
        "P 7",
        "T 1",
        "! 1 clone 1200011 0 0 0 0 = 8 0",
        "w11 0 1 5",
      ),
    ).toEqual([
      "0 +100 w 10000 0 1 first",
      "thread 1: pid 8 tid 1 process 1 ",
      "0 +0 fork child=1",
      "1 +1 w 10000 0 1",
      "0 +5 w 11000 0 1 first",
    ]);
  });

  test("execve counts unless its failure follows", () => {
    const tried = ["w10 0 1 1", "! 1 execve = 0 0", "w10 0 1 1"];
    expect(lines(...tried, "! 1 execve = -2 0", "w10 0 1 1")).toEqual([
      "0 +1 w 10000 0 1 first",
      "0 +1 w 10000 0 1",
      "0 +1 w 10000 0 1",
    ]);
    expect(lines(...tried, "! 1 brk 0 = 4035000 0")).toEqual([
      "0 +1 w 10000 0 1 first",
      "0 +1 exec name=",
      "0 +0 w 10000 0 1 first",
      "0 +0 brk start=0x4035000 end=0x4035000",
    ]);
  });

  test("a thread begins where a T line first names it", () => {
    expect(lines("r1 1 0 1", "! 1 clone 3d0f00 0 0 0 0 = 61 0", "T 2", "r1 1 0 1")).toEqual([
      "0 +1 r 1000 1 0 first",
      "thread 1: pid 7 tid 2 process 0 ",
      "0 +0 thread child=1",
      "1 +1 r 1000 1 0",
    ]);
  });
});
