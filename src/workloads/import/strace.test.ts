import { describe, expect, test } from "vitest";
import { importText } from "../../../test/samples/imported.ts";
import { detectFormat } from "./detect.ts";

const START = [
  '12189 1795266665.706308 execve("/usr/bin/sh", ["sh", "-c", "ls"], 0x7fffc4389408 /* 39 vars */) = 0',
  "12189 1795266665.707019 brk(NULL)       = 0x5632ff439000",
  "12189 1795266665.707296 mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) " +
    "= 0x7fa95b315000",
  "12189 1795266665.707390 mmap(NULL, 40983, PROT_READ, MAP_PRIVATE, 3, 0) = 0x7fa95b30a000",
];
const text = (...lines: readonly string[]): string => [...START, ...lines, ""].join("\n");
const eventsOf = (source: string): string[] =>
  importText("strace", source).lines.filter((line) => !/^(#|thread)/.test(line));

describe("a text of strace", () => {
  test("is known by its first lines, with and without numbers and times", () => {
    const bytes = (line: string) => new TextEncoder().encode(line + "\n");
    expect(detectFormat(bytes(START[1]!))).toBe("strace");
    expect(detectFormat(bytes("brk(NULL)                               = 0x5632ff439000"))).toBe("strace");
    expect(detectFormat(bytes("[pid 17] munmap(0x7fa95b30a000, 40983) = 0"))).toBe("strace");
  });

  test("becomes mappings with their flags; an area of a file is a file's", () => {
    expect(eventsOf(text())).toEqual([
      "0 +0 exec name=sh",
      "0 +711000 brk start=0x5632ff439000 end=0x5632ff439000",
      "0 +277000 map start=0x7fa95b315000 length=0x2000 prot=3",
      "0 +94000 map start=0x7fa95b30a000 length=0xb000 prot=1 file",
    ]);
  });

  test("raw numbers mean the same as names", () => {
    const raw = text().replace("PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS", "0x3, 0x22");
    expect(eventsOf(raw)).toEqual(eventsOf(text()));
  });

  test("a child that speaks before its parent's call returns is that call's child", () => {
    const lines = eventsOf(
      text(
        "12189 1795266665.8 vfork( <unfinished ...>",
        '12190 1795266665.9 execve("/usr/bin/ls", ["ls"], 0x5632ff439e18 /* 39 vars */ <unfinished ...>',
        "12189 1795266666.0 <... vfork resumed>) = 12190",
        "12190 1795266666.1 <... execve resumed>) = 0",
        "12190 1795266666.2 exit_group(0)   = ?",
        "12190 1795266666.3 +++ exited with 0 +++",
      ),
    );
    expect(lines.slice(4)).toEqual([
      expect.stringMatching(/^0 \+\d+ fork child=1 vfork$/),
      expect.stringMatching(/^1 \+\d+ exec name=ls$/),
      expect.stringMatching(/^1 \+\d+ exit process$/),
    ]);
  });

  test("clone3 with CLONE_THREAD makes a thread, and the process ends with its last", () => {
    const flags = "flags=CLONE_VM|CLONE_FS|CLONE_THREAD|CLONE_SYSVSEM, child_tid=0x7f15f2b5f990";
    const lines = eventsOf(
      text(
        `12189 1795266665.8 clone3({${flags}} => {parent_tid=[12191]}, 88) = 12191`,
        "12191 1795266665.9 madvise(0x7fa95b315000, 8192, MADV_DONTNEED) = 0",
        "12191 1795266665.9 exit(0) = ?",
        "12191 1795266665.9 +++ exited with 0 +++",
        "12189 1795266666.0 +++ killed by SIGKILL +++",
      ),
    );
    expect(lines.slice(4).map((line) => line.replace(/\+\d+ /, ""))).toEqual([
      "0 thread child=1",
      "1 advise start=0x7fa95b315000 length=0x2000 advice=dontneed",
      "1 exit",
      "0 exit process",
    ]);
  });

  test("calls that failed, signals and other calls are no events; what is no line of strace is told", () => {
    const { lines, summary } = importText(
      "strace",
      text(
        "12189 1795266665.8 munmap(0x1, 4096) = -1 EINVAL (Invalid argument)",
        "12189 1795266665.8 --- SIGCHLD {si_signo=SIGCHLD} ---",
        '12189 1795266665.8 openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3',
        "12189 1795266665.8 mmap of something else",
      ),
    );
    expect(lines.filter((line) => /unmap/.test(line))).toEqual([]);
    expect(summary.ignored).toEqual({ "other calls, signals and remarks": 2 });
    expect(summary.unreadable).toMatchObject([
      { line: 8, expected: "[PID] [TIME] CALL(ARGUMENTS) = RESULT" },
    ]);
  });
});
