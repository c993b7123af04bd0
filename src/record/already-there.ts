/**
 * What a process had before its recording began, told as if it happened at the recording's first moment: its
 * mappings, and a fault for each of its anonymous pages that is in memory. Text as perf script would print
 * it.
 *
 *     /proc/PID/maps, pagemap ──▶ "… syscalls:sys_enter_mmap: …", "… exceptions:page_fault_user: …"
 */
import { closeSync, openSync, readSync } from "node:fs";
import { readHost } from "./host-facts.ts";

interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly prot: number;
  readonly shared: boolean;
  readonly path: string;
}

const PAGE_BYTES = 4096;
const CHUNK_PAGES = 64 * 1024;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;

/** One line of /proc/PID/maps; undefined for what is no area of the program's own (vsyscall, vvar). */
export function mappingOf(line: string): Mapping | undefined {
  const found = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \d+ *(.*)$/.exec(line);
  if (found === null) return undefined;
  const [, start, end, flags, path] = found as unknown as [string, string, string, string, string];
  if (/^\[(vsyscall|vvar|vvar_vclock|vdso)\]$/.test(path)) return undefined;
  return {
    start: Number.parseInt(start, 16),
    end: Number.parseInt(end, 16),
    prot: (flags[0] === "r" ? 1 : 0) | (flags[1] === "w" ? 2 : 0) | (flags[2] === "x" ? 4 : 0),
    shared: flags[3] === "s",
    path,
  };
}

const hex = (value: number): string => `0x${value.toString(16)}`;

/** Text in pieces. `time` is the recording's first moment, as perf prints it. */
export function* alreadyThere(pid: number, time: string): Generator<Uint8Array> {
  const name = readHost(`/proc/${pid}/comm`) ?? "program";
  const head = `${name} ${pid}/${pid} ${time}: `;
  const call = (what: string, args: readonly string[], result: string): string =>
    `${head}syscalls:sys_enter_${what}: ${args.join(", ")}\n${head}syscalls:sys_exit_${what}: ${result}\n`;
  const mappings = (readHost(`/proc/${pid}/maps`) ?? "").split("\n").flatMap((line) => mappingOf(line) ?? []);
  for (const mapping of mappings) {
    const { start, end, path } = mapping;
    const isHeap = path === "[heap]";
    const text = isHeap
      ? call("brk", ["brk: 0x0"], hex(start)) + call("brk", [`brk: ${hex(end)}`], hex(end))
      : call("mmap", mapArguments(mapping), hex(start));
    yield Buffer.from(text);
    if (path === "" || path.startsWith("[") || !mapping.shared) yield* presentPages(pid, head, mapping);
  }
}

function mapArguments({ start, end, prot, shared, path }: Mapping): string[] {
  const isAnonymous = path === "" || path.startsWith("[");
  const flags = (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED | (isAnonymous ? MAP_ANONYMOUS : 0);
  return [
    `addr: ${hex(start)}`,
    `len: ${hex(end - start)}`,
    `prot: ${hex(prot)}`,
    `flags: ${hex(flags)}`,
    "fd: 0xffffffff",
    "off: 0x0",
  ];
}

/**
 * A write fault for each page that is present and no file's: pagemap's bits 63 and 61 (high word: 31, 29).
 */
function* presentPages(pid: number, head: string, { start, end }: Mapping): Generator<Uint8Array> {
  let descriptor: number;
  try {
    descriptor = openSync(`/proc/${pid}/pagemap`, "r");
  } catch {
    return;
  }
  try {
    const words = new Uint32Array(2 * CHUNK_PAGES);
    const bytes = new Uint8Array(words.buffer);
    for (let at = start; at < end; at += CHUNK_PAGES * PAGE_BYTES) {
      const pages = Math.min(CHUNK_PAGES, (end - at) / PAGE_BYTES);
      const got = readSync(descriptor, bytes, 0, pages * 8, (at / PAGE_BYTES) * 8) / 8;
      let text = "";
      for (let page = 0; page < got; page++) {
        const high = words[2 * page + 1]!;
        if ((high & 0x80000000) === 0 || (high & 0x20000000) !== 0) continue;
        const address = hex(at + page * PAGE_BYTES);
        text += `${head}exceptions:page_fault_user: address=${address} ip=0x0 error_code=0x6\n`;
      }
      if (text !== "") yield Buffer.from(text);
    }
  } finally {
    closeSync(descriptor);
  }
}
