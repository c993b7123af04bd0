import { describe, expect, test } from "vitest";
import { importText } from "../../../test/samples/imported.ts";

/** Lines `name ids event…`, a microsecond apart, all on CPU 0. */
function items(lines: readonly string[]): string[] {
  const text = lines.map((line, i) => {
    const [name, ids, ...event] = line.split(" ");
    return `${name} ${ids} [000] 7.${String(i).padStart(6, "0")}: ${event.join(" ")}\n`;
  });
  return importText("perf", text.join("")).lines.filter((line) => !line.includes("cpu cpu="));
}

const touch = "exceptions:page_fault_user: address=0x1000 ip=0x5555 error_code=0x6";
const byKernel = "exceptions:page_fault_kernel: address=0x9000 ip=elf_load error_code=0x2";
const fork = (child: number): string =>
  `sched:sched_process_fork: comm=a pid=10 child_comm=a child_pid=${child}`;
const rss = (mm: number, current: number, type: string, pages: number): string =>
  `kmem:rss_stat: mm_id=${mm} curr=${current} type=${type} size=${pages * 4096}B`;

describe("threads and processes", () => {
  test("clone's flags tell a thread from a process", () => {
    expect(
      items([
        `a 10/10 ${touch}`,
        "a 10/10 syscalls:sys_enter_clone: clone_flags: 0x01200011, newsp: 0x0",
        `a 10/10 ${fork(12)}`,
        "a 10/10 syscalls:sys_exit_clone: 0xc",
        "a 10/10 syscalls:sys_enter_clone: clone_flags: 0x003d0f00, newsp: 0x0",
        `a 10/10 ${fork(13)}`,
        "a 10/10 syscalls:sys_exit_clone: 0xd",
        `a 12/12 ${touch}`,
        `a 10/13 ${touch}`,
      ]),
    ).toEqual([
      "thread 0: pid 10 tid 10 process 0 a",
      "0 +0 w 1000 0 1 first fault",
      "thread 1: pid 12 tid 12 process 1 a",
      "0 +2000 fork child=1",
      "thread 2: pid 10 tid 13 process 0 a",
      "0 +3000 thread child=2",
      // The child has its parent's pages: its fault is no first touch. The thread shares them.
      "1 +0 w 1000 0 1 fault",
      "2 +0 w 1000 0 1 fault",
    ]);
  });

  test("clone3 hides its flags: the child's own first line tells", () => {
    const lines = items([
      `a 10/10 ${touch}`,
      "a 10/10 syscalls:sys_enter_clone3: uargs: 0x7fffffffe090, size: 0x58",
      `a 10/10 ${fork(12)}`,
      "a 10/10 syscalls:sys_enter_clone3: uargs: 0x7fffffffe090, size: 0x58",
      `a 10/10 ${fork(13)}`,
      `a 10/12 ${touch}`,
      `a 13/13 ${touch}`,
    ]);
    expect(lines.filter((line) => line.includes("child="))).toEqual([
      "0 +5000 thread child=1",
      "0 +1000 fork child=2 vfork",
    ]);
  });

  test("without sched events the parent's return value tells of the child", () => {
    const lines = items([
      `a 10/10 ${touch}`,
      "a 10/10 syscalls:sys_enter_vfork: ",
      "a 10/10 syscalls:sys_exit_vfork: 0xc",
      `a 12/12 ${touch}`,
    ]);
    expect(lines.filter((line) => line.includes("child="))).toEqual(["0 +2000 fork child=1 vfork"]);
  });

  test("the last thread takes the process with it; what it faults after its end does not count", () => {
    expect(
      items([
        `a 10/10 ${touch}`,
        `a 10/11 ${touch}`,
        "a 10/10 sched:sched_process_exit: comm=a pid=10 prio=120 group_dead=false",
        "a 10/11 sched:sched_process_exit: comm=a pid=11 prio=120 group_dead=true",
        `a 10/11 ${byKernel}`,
      ]).filter((line) => line.includes("exit") || line.includes("9000")),
    ).toEqual(["0 +1000 exit", "1 +2000 exit process"]);
  });
});

describe("exec", () => {
  const exec = "sched:sched_process_exec: filename=/usr/bin/b pid=10 old_pid=10";

  test("gives an empty address space: pages are touched anew", () => {
    expect(items([`a 10/10 ${touch}`, `b 10/10 ${exec}`, `b 10/10 ${touch}`]).slice(1)).toEqual([
      "0 +0 w 1000 0 1 first fault",
      "0 +1000 exec name=b",
      "0 +1000 w 1000 0 1 first fault",
    ]);
  });

  test("the kernel's faults between the new mm and the tracepoint are the new program's", () => {
    expect(
      items([
        `a 10/10 ${touch}`,
        `a 10/10 ${rss(1, 1, "MM_ANONPAGES", 1)}`,
        `a 10/10 ${rss(2, 0, "MM_ANONPAGES", 1)}`,
        `a 10/10 ${rss(1, 0, "MM_ANONPAGES", 0)}`,
        `b 10/10 ${byKernel}`,
        `b 10/10 ${rss(2, 1, "MM_ANONPAGES", 2)}`,
        `b 10/10 ${exec}`,
      ]).filter((line) => !line.includes("file-rss")),
    ).toEqual([
      "thread 0: pid 10 tid 10 process 0 a",
      "0 +0 w 1000 0 1 first fault",
      expect.stringMatching(/^0 \+\d+ exec name=b$/),
      "0 +0 w 9000 0 1 first fault kernel",
    ]);
  });
});

describe("resident file pages", () => {
  test("file and shared-memory pages of the current mm are told as one sum", () => {
    expect(
      items([
        `a 10/10 ${touch}`,
        `a 10/10 ${rss(1, 1, "MM_FILEPAGES", 16)}`,
        `a 10/10 ${rss(1, 1, "MM_SHMEMPAGES", 2)}`,
        `a 10/10 ${rss(1, 1, "MM_ANONPAGES", 5)}`,
      ]).slice(2),
    ).toEqual(["0 +1000 file-rss pages=16", "0 +1000 file-rss pages=18"]);
  });

  test("a child's, counted while fork fills its mm, are told when it is first seen with it", () => {
    expect(
      items([
        `a 10/10 ${touch}`,
        "a 10/10 syscalls:sys_enter_clone: clone_flags: 0x01200011, newsp: 0x0",
        `a 10/10 ${rss(2, 0, "MM_FILEPAGES", 7)}`,
        `a 10/10 ${fork(12)}`,
        `a 12/12 ${rss(2, 1, "MM_ANONPAGES", 5)}`,
        `a 12/12 ${touch}`,
        `a 12/12 ${rss(2, 1, "MM_ANONPAGES", 6)}`,
      ]).filter((line) => line.includes("file-rss")),
    ).toEqual(["1 +1000 file-rss pages=7"]);
  });
});
