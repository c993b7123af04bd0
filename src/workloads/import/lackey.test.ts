import { describe, expect, test } from "vitest";
import { importText } from "../../../test/samples/imported.ts";

function items(...lines: string[]): string[] {
  const text = lines.map((line) => line + "\n").join("");
  return importText("lackey", text).lines.filter((line) => !line.startsWith("thread "));
}

const START = "--1--   SCHED[1]:  acquired lock (thread_wrapper(starting new thread))";

describe("accesses", () => {
  test("instructions, loads, stores and modifies; time counts instructions", () => {
    expect(
      items(
        START,
        "I  0401ab70,3",
        " L 1fff000768,8",
        "I  0401ab73,5",
        " S 1fff000760,8",
        "I  0401ab78,1",
        " M 04a28750,4",
      ),
    ).toEqual([
      "0 +1 x 401a000 2 0 first",
      "0 +0 u 1fff000000 1 1 first",
      "0 +2 x 401a000 1 0",
      "0 +0 w 4a28000 1 1 first",
    ]);
  });

  test("public traces have neither the leading space nor the I lines: time counts references", () => {
    expect(items("S 1fff000198,8", "S 1fff000190,8", "L 04a28750,8")).toEqual([
      "0 +1 w 1fff000000 0 2 first",
      "0 +2 r 4a28000 1 0 first",
    ]);
  });

  test("an access across a page's end touches both pages", () => {
    expect(items(" L 04a28ffc,8", " S 04a29fff,1")).toEqual([
      "0 +1 r 4a28000 1 0 first",
      "0 +0 u 4a29000 1 1 first",
    ]);
  });

  test("what is no access is told with its place", () => {
    const { summary } = importText("lackey", " L 1000,8\n L zz,8\n S 1000,8\n");
    expect(summary.unreadable).toEqual([
      { line: 2, byteOffset: 10, found: " L zz,8", expected: "ADDRESS,SIZE" },
    ]);
  });
});

describe("system calls", () => {
  test.each([
    [
      "SYSCALL[1,1](9) sys_mmap ( 0x0, 8192, 3, 34, 4294967295, 0 ) --> [pre-success] Success(0x4835000)",
      "0 +0 map start=0x4835000 length=0x2000 prot=3",
    ],
    [
      "SYSCALL[1,1](9) sys_mmap ( 0x4838000, 4096, 5, 2066, 4, 4096 ) --> [pre-success] Success(0x4838000)",
      "0 +0 map start=0x4838000 length=0x1000 prot=5 fixed file",
    ],
    [
      "SYSCALL[1,1](10) sys_mprotect ( 0x4c00000, 4096, 1 )[sync] --> Success(0x0)",
      "0 +0 protect start=0x4c00000 length=0x1000 prot=1",
    ],
    [
      "SYSCALL[1,1](12) sys_brk ( 0x0 ) --> [pre-success] Success(0x4035000)",
      "0 +0 brk start=0x4035000 end=0x4035000",
    ],
    [
      "SYSCALL[1,1](25) sys_mremap ( 0x4e2c000, 65536, 1048576, 1, 0 ) --> [pre-success] Success(0x4e3c000)",
      "0 +0 remap start=0x4e2c000 length=0x10000 newStart=0x4e3c000 newLength=0x100000",
    ],
  ])("%s", (line, item) => {
    expect(items(START, " L 1000,1", line)).toEqual(["0 +1 r 1000 1 0 first", item]);
  });

  test("failures change nothing, strings among the arguments do not confuse", () => {
    const failed =
      "SYSCALL[1,1](9) sys_mmap ( 0x0, 8192, 3, 34, 4294967295, 0 ) --> [pre-success] Failure(0xc)";
    const other = "SYSCALL[1,1](21) sys_access ( 0x402a2a0(/etc/ld.so.preload), 4 )[sync] --> Failure(0x2)";
    expect(items(START, failed, other, " L 1000,1")).toEqual(["0 +1 r 1000 1 0 first"]);
  });

  test("the result of an asynchronous call comes on a later line, after other threads have run", () => {
    expect(
      items(
        START,
        " L 1000,1",
        "SYSCALL[1,1](28) sys_madvise ( 0x4a2b000, 4194304, 14 ) --> [async] ... ",
        "--1--   SCHED[2]:  acquired lock (VG_(client_syscall)[async])",
        " L 2000,1",
        "--1--   SCHED[1]:  acquired lock (VG_(client_syscall)[async])",
        "SYSCALL[1,1](28) ... [async] --> Success(0x0) ",
      ),
    ).toEqual([
      "0 +1 r 1000 1 0 first",
      "0 +0 thread child=1",
      "1 +1 r 2000 1 0 first",
      "0 +1 advise start=0x4a2b000 length=0x400000 advice=hugepage",
    ]);
  });

  test("read and write show what the kernel touches", () => {
    expect(
      items(
        START,
        "SYSCALL[1,1](0) sys_read ( 4, 0x1ffeffee18, 832 ) --> [async] ... ",
        "SYSCALL[1,1](0) ... [async] --> Success(0x340) ",
        "SYSCALL[1,1](1) sys_write ( 1, 0x5000ff0, 32 ) --> [async] ... ",
        "SYSCALL[1,1](1) ... [async] --> Success(0x20) ",
      ),
    ).toEqual([
      "0 +0 w 1ffeffe000 0 1 first kernel",
      "0 +0 w 1ffefff000 0 1 first kernel",
      "0 +0 r 5000000 1 0 first kernel",
      "0 +0 r 5001000 1 0 first kernel",
    ]);
  });

  test("clone with a thread's flags, in hexadecimal without 0x, and a remark at its end", () => {
    expect(
      items(
        START,
        " L 1000,1",
        "SYSCALL[1,1](56) sys_clone ( 3d0f00, 0x573af70, 0x573b990, 0x573b990 ) --> [pre-success] " +
          "Success(0x4d10) --1--   SCHED[1]: releasing lock (VG_(vg_yield)) -> VgTs_Yielding",
        "--1--   SCHED[2]:  acquired lock (thread_wrapper(starting new thread))",
        " L 1000,1",
      ),
    ).toEqual(["0 +1 r 1000 1 0 first", "0 +0 thread child=1", "1 +1 r 1000 1 0"]);
  });

  test("fork: the parent's result stands on the line after valgrind's remark", () => {
    const { lines } = importText(
      "lackey",
      [
        START,
        " L 1000,1",
        "SYSCALL[1,1](56) sys_clone ( 1200011, 0x0, 0x0, 0x4a28 )   clone(fork): process 1 created child 9",
        " --> [pre-success] Success(0x9) ",
        " L 2000,1",
        "",
      ].join("\n"),
    );
    expect(lines.slice(1)).toEqual([
      "0 +1 r 1000 1 0 first",
      "thread 1: pid 9 tid 1 process 1 ",
      "0 +0 fork child=1",
      "0 +1 r 2000 1 0 first",
    ]);
  });

  test("a child's own text begins with the end of its parent's line", () => {
    expect(
      items("==9== Lackey, an example Valgrind tool", " --> [pre-success] Success(0x0) ", " L 1000,1"),
    ).toEqual(["0 +1 r 1000 1 0 first"]);
  });

  test("exit_group ends the process", () => {
    expect(
      items(START, " L 1000,1", "SYSCALL[1,1](231) exit_group( 0 ) --> [pre-success] Success(0x0)"),
    ).toEqual(["0 +1 r 1000 1 0 first", "0 +0 exit process"]);
  });
});
