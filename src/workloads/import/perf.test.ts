import { describe, expect, test } from "vitest";
import { importText } from "../../../test/samples/imported.ts";

/** perf lines of one thread, a microsecond apart, unless a line has a head of its own. */
function perf(lines: readonly string[]): string {
  return lines
    .map((line, i) => (/\d:/.test(line.slice(0, 44)) ? line : head("demo", "10/10", i) + line) + "\n")
    .join("");
}

function head(name: string, ids: string, microseconds: number, cpu = "[000]"): string {
  return `${name.padStart(16)} ${ids} ${cpu}  100.${String(microseconds).padStart(6, "0")}: `;
}

/** The trace's lines without the announcement of threads and CPUs. */
function items(lines: readonly string[]): string[] {
  return importText("perf", perf(lines)).lines.filter((line) => !/^thread |cpu cpu=/.test(line));
}

const fault = (address: string, code: string): string =>
  `exceptions:page_fault_user: address=0x${address} ip=0x5555 error_code=0x${code}`;
const enter = (call: string, args: string): string => `syscalls:sys_enter_${call}: ${args}`;
const exit = (call: string, result: string): string => `syscalls:sys_exit_${call}: ${result}`;

describe("faults with an error code", () => {
  test("bit 1 is a write, bit 0 a protection fault, bit 4 an instruction", () => {
    expect(
      items([fault("7f0000000010", "6"), fault("7f0000001000", "4"), fault("7f0000001008", "7")]),
    ).toEqual([
      "0 +0 w 7f0000000000 0 1 first fault",
      "0 +1000 r 7f0000001000 1 0 first fault",
      "0 +1000 w 7f0000001000 0 1 fault protection",
    ]);
    expect(items([fault("7f0000002000", "14")])).toEqual(["0 +0 x 7f0000002000 1 0 first fault"]);
  });

  test("the kernel's own faults are marked, those on kernel addresses left out", () => {
    const byKernel = "exceptions:page_fault_kernel: address=0x7f0000000000 ip=_copy_to_user error_code=0x2";
    const onKernel = "exceptions:page_fault_kernel: address=0xffffc90000000000 ip=memcpy error_code=0x2";
    expect(items([byKernel, onKernel])).toEqual(["0 +0 w 7f0000000000 0 1 first fault kernel"]);
  });

  test("page-faults samples of the same faults are left out", () => {
    expect(items(["page-faults:     7f0000000010     5555", fault("7f0000000010", "6")])).toEqual([
      "0 +0 w 7f0000000000 0 1 first fault",
    ]);
  });
});

describe("samples without an address", () => {
  test("the place of an instruction is not taken for the memory that it touched", () => {
    const line = "page-faults:      7f685153db70 _start+0x0 (/lib/ld-linux-x86-64.so.2)";
    expect(() => items([line])).toThrow(/expected ADDR IP \(perf record -d; perf script -F .*addr,ip\)/);
    const { summary } = importText("perf", perf([line, "page-faults:     7f0000000010     5555"]));
    expect(summary.unreadableLines).toBe(1);
  });
});

describe("the head of a line", () => {
  test.each([
    ["a name with spaces", `       Web Content 10/11 [002]  100.000000: ${fault("1000", "6")}`],
    ["a name with brackets", `   kworker/[0] 1 [x] 10/11 [002]  100.000000: ${fault("1000", "6")}`],
    ["a name of digits", `            1 2 3 10/11 [002]  100.000000: ${fault("1000", "6")}`],
    ["nine decimals", `  demo 10/11 [002]  100.000000000: ${fault("1000", "6")}`],
    ["a period before the event", `  demo 10/11 [002]  100.000000:          1 ${fault("1000", "6")}`],
  ])("%s", (_what, line) => {
    expect(importText("perf", line + "\n").lines).toEqual([
      expect.stringMatching(/^thread 0: pid 10 tid 11 process 0 /),
      "0 +0 cpu cpu=2",
      "0 +0 w 1000 0 1 first fault",
    ]);
  });

  test("without a cpu column no CPU is known", () => {
    expect(importText("perf", `  demo 10/11   100.000000: ${fault("1000", "6")}\n`).lines).toEqual([
      "thread 0: pid 10 tid 11 process 0 demo",
      "0 +0 w 1000 0 1 first fault",
    ]);
  });

  test("with the thread's number alone, the process bears it too", () => {
    expect(importText("perf", `  demo 11 [000]  100.000000: ${fault("1000", "6")}\n`).lines[0]).toBe(
      "thread 0: pid 11 tid 11 process 0 demo",
    );
  });

  test("a thread that is seen on another CPU has moved there", () => {
    const lines = [
      head("demo", "10/10", 0) + fault("1000", "6"),
      head("demo", "10/10", 5, "[003]") + fault("2000", "6"),
    ];
    expect(importText("perf", perf(lines)).lines.slice(1)).toEqual([
      "0 +0 cpu cpu=0",
      "0 +0 w 1000 0 1 first fault",
      "0 +5000 cpu cpu=3",
      "0 +0 w 2000 0 1 first fault",
    ]);
  });
});

describe("page faults alone", () => {
  const sample = (address: string, ip: string): string => `page-faults:     ${address}     ${ip}`;

  test("a page that faults twice was read first", () => {
    expect(
      items([sample("7f0000000010", "5555"), sample("7f0000001000", "5555"), sample("7f0000000020", "5555")]),
    ).toEqual([
      "0 +0 r 7f0000000000 1 0 first fault",
      "0 +1000 w 7f0000001000 0 1 first fault",
      "0 +1000 w 7f0000000000 0 1 fault protection",
    ]);
  });

  test("a fault after a fork is a copy, not the second look of a reader", () => {
    const fork = "sched:sched_process_fork: comm=demo pid=10 child_comm=demo child_pid=12";
    const text = perf([
      sample("7f0000000010", "5555"),
      enter("clone", "clone_flags: 0x01200011, newsp: 0x0"),
      fork,
      sample("7f0000000010", "5555"),
    ]);
    const lines = importText("perf", text).lines.filter((line) => line.includes("fault"));
    expect(lines).toEqual([
      "0 +0 w 7f0000000000 0 1 first fault",
      "0 +1000 w 7f0000000000 0 1 fault protection",
    ]);
  });

  test("a fault at the place that runs is a fetch of code; one of the kernel has its address", () => {
    expect(
      items([sample("7f0000000010", "7f0000000010"), sample("7f0000001000", "ffffffff81752b6a")]),
    ).toEqual(["0 +0 x 7f0000000000 1 0 first fault", "0 +1000 w 7f0000001000 0 1 first fault kernel"]);
  });

  test("symbols and objects may stand behind the addresses", () => {
    const line =
      "1 page-faults:     7f0000077206 [unknown] (/usr/lib/libc.so.6)     7f0000077206 f (/lib/ld.so)";
    expect(items([line])).toEqual(["0 +0 x 7f0000077000 1 0 first fault"]);
  });

  test("without life-cycle events a new name with a kernel fault is an exec, a new name alone is not", () => {
    const text = perf([
      head("setarch", "10/10", 0) + sample("7f0000000010", "5555"),
      head("setarch-2", "10/10", 1) + sample("7f0000001010", "5555"),
      head("demo", "10/10", 2) + sample("7f0000000010", "ffffffff81752b6a"),
    ]);
    expect(importText("perf", text).lines.filter((line) => !/thread|cpu/.test(line))).toEqual([
      "0 +0 w 7f0000000000 0 1 first fault",
      "0 +1000 w 7f0000001000 0 1 first fault",
      "0 +1000 exec name=demo",
      "0 +0 w 7f0000000000 0 1 first fault kernel",
    ]);
  });
});

describe("system calls", () => {
  test("a mapping is told when the call returns, with lengths in whole pages", () => {
    const call =
      "addr: 0x00000000, len: 0x0000a8bf, prot: 0x00000001, flags: 0x00000002, fd: 0x00000003, off: 0x0";
    expect(items([enter("mmap", call), fault("1000", "6"), exit("mmap", "0x7f0000000000")])).toEqual([
      "0 +1000 w 1000 0 1 first fault",
      "0 +1000 map start=0x7f0000000000 length=0xb000 prot=1 file",
    ]);
  });

  test.each([
    ["0x00000022", ""],
    ["0x00000032", " fixed"],
    ["0x00020022", " stack"],
    ["0x00004022", " noreserve"],
    ["0x00008022", " populate"],
    ["0x00000021", " shared"],
    ["0x00000001", " shared file"],
    ["0x00100022", " fixed"],
    ["0x00040022", " file"],
  ])("mmap flags %s", (flags, words) => {
    const call = `addr: 0x00000000, len: 0x00001000, prot: 0x3, flags: ${flags}, fd: 0xffffffff, off: 0x0`;
    const map = `0 +1000 map start=0x7f0000000000 length=0x1000 prot=3${words}`;
    expect(items([enter("mmap", call), exit("mmap", "0x7f0000000000")])).toEqual([map]);
  });

  test("an address that was asked for and granted binds like MAP_FIXED", () => {
    const call = "addr: 0xc000000000, len: 0x1000, prot: 0x3, flags: 0x00000022, fd: 0xffffffff, off: 0x0";
    expect(items([enter("mmap", call), exit("mmap", "0xc000000000")])[0]).toContain("fixed");
    expect(items([enter("mmap", call), exit("mmap", "0x7f0000000000")])[0]).not.toContain("fixed");
  });

  test("a call that fails changes nothing", () => {
    const call = "addr: 0x0, len: 0x1000, prot: 0x3, flags: 0x22, fd: 0xffffffff, off: 0x0";
    const lines = [enter("mmap", call), exit("mmap", "0xfffffffffffffff4"), fault("1000", "6")];
    expect(items(lines)).toEqual(["0 +2000 w 1000 0 1 first fault"]);
  });

  test("munmap, mprotect, madvise, mremap", () => {
    expect(
      items([
        enter("munmap", "addr: 0x7f0000000000, len: 0x0000a8bf"),
        exit("munmap", "0x0"),
        enter("mprotect", "start: 0x7f0000001000, len: 0x00001000, prot: 0x00000001"),
        exit("mprotect", "0x0"),
        enter("madvise", "start: 0x7f0000002000, len_in: 0x00200000, behavior: 0x0000000e"),
        exit("madvise", "0x0"),
        enter("mremap", "addr: 0x7f0000002000, old_len: 0x1000, new_len: 0x3000, flags: 0x1, new_addr: 0x0"),
        exit("mremap", "0x7f0000200000"),
      ]),
    ).toEqual([
      "0 +1000 unmap start=0x7f0000000000 length=0xb000",
      "0 +2000 protect start=0x7f0000001000 length=0x1000 prot=1",
      "0 +2000 advise start=0x7f0000002000 length=0x200000 advice=hugepage",
      "0 +2000 remap start=0x7f0000002000 length=0x1000 newStart=0x7f0000200000 newLength=0x3000",
    ]);
  });

  test("the first answer of brk is where the heap begins; answers that change nothing are left out", () => {
    expect(
      items([
        enter("brk", "brk: 0x00000000"),
        exit("brk", "0x555555559000"),
        enter("brk", "brk: 0x00000000"),
        exit("brk", "0x555555559000"),
        enter("brk", "brk: 0x55555557a000"),
        exit("brk", "0x55555557a000"),
      ]),
    ).toEqual([
      "0 +1000 brk start=0x555555559000 end=0x555555559000",
      "0 +4000 brk start=0x555555559000 end=0x55555557a000",
    ]);
  });

  test("prctl counts when it is about huge pages", () => {
    expect(
      items([
        enter("prctl", "option: 0x00000017, arg2: 0x20, arg3: 0x0, arg4: 0x0, arg5: 0x0"),
        exit("prctl", "0x1"),
        enter("prctl", "option: 0x00000029, arg2: 0x1, arg3: 0x0, arg4: 0x0, arg5: 0x0"),
        exit("prctl", "0x0"),
        enter("prctl", "option: 0x00000029, arg2: 0x1, arg3: 0x2, arg4: 0x0, arg5: 0x0"),
        exit("prctl", "0x0"),
      ]),
    ).toEqual(["0 +3000 thp-disable value=1", "0 +2000 thp-disable value=3"]);
  });

  test("mlock touches its pages in the kernel, without faults", () => {
    expect(items([enter("mlock", "start: 0x7f0000000000, len: 0x00001001"), exit("mlock", "0x0")])).toEqual([
      "0 +1000 w 7f0000000000 0 1 first kernel",
      "0 +0 w 7f0000001000 0 1 first kernel",
    ]);
  });
});
