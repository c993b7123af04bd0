/** The arguments of a call as strace prints them: numbers, NULL, and flags by their names. */

/** Numbers of x86-64 Linux (mman.h, sched.h, prctl.h); flags that mean nothing to memory are left out. */
const WORDS: Readonly<Record<string, number>> = {
  NULL: 0,
  PROT_NONE: 0,
  PROT_READ: 1,
  PROT_WRITE: 2,
  PROT_EXEC: 4,
  MAP_SHARED: 1,
  MAP_PRIVATE: 2,
  MAP_SHARED_VALIDATE: 3,
  MAP_FIXED: 0x10,
  MAP_ANONYMOUS: 0x20,
  MAP_NORESERVE: 0x4000,
  MAP_POPULATE: 0x8000,
  MAP_STACK: 0x20000,
  MAP_HUGETLB: 0x40000,
  MAP_FIXED_NOREPLACE: 0x100000,
  MREMAP_MAYMOVE: 1,
  MREMAP_FIXED: 2,
  MREMAP_DONTUNMAP: 4,
  MADV_WILLNEED: 3,
  MADV_DONTNEED: 4,
  MADV_FREE: 8,
  MADV_DONTFORK: 10,
  MADV_DOFORK: 11,
  MADV_HUGEPAGE: 14,
  MADV_NOHUGEPAGE: 15,
  MADV_COLD: 20,
  MADV_PAGEOUT: 21,
  MADV_POPULATE_READ: 22,
  MADV_POPULATE_WRITE: 23,
  MADV_DONTNEED_LOCKED: 24,
  MADV_COLLAPSE: 25,
  CLONE_VM: 0x100,
  CLONE_VFORK: 0x4000,
  CLONE_THREAD: 0x10000,
  MLOCK_ONFAULT: 1,
  PR_SET_THP_DISABLE: 41,
};

/** `PROT_READ|PROT_WRITE`, `0x3`, `8192`, `NULL`. Names that are not known count as 0. */
export function flagsOf(text: string): number {
  let value = 0;
  for (const part of text.split("|")) {
    const word = part.trim();
    const number = /^-?(0x[0-9a-f]+|\d+)$/.test(word) ? Number(word) : (WORDS[word] ?? 0);
    // Flags have 32 bits and are alone or ored; a single number may be an address.
    value = value === 0 ? number : (value | number) >>> 0;
  }
  return value;
}

const VALUE_MAX = 2 ** 48;

/** Whether a call can have had these arguments: what is no address or length is damage. */
export const areSound = (values: readonly number[]): boolean =>
  values.every((value, i) => Number.isInteger(value) && (value >= 0 || i >= 4) && value < VALUE_MAX);

/** The arguments in order; `old_addr=`-like names before them are left out. Six numbers at least. */
export function argumentsOf(inside: string): number[] {
  const parts = inside
    .split(/,\s*/)
    .map((part) => flagsOf(part.replace(/^\w+=/, "").replace(/\s*\/\*.*$/, "")));
  while (parts.length < 6) parts.push(0);
  return parts;
}
