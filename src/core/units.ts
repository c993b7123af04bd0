/**
 * Identities are branded so that the compiler keeps them apart; quantities are plain numbers whose name ends
 * in their unit (`delayNs`, `sizePages`, `windowBytes`). Time inside is integer nanoseconds.
 */

/** A number that names a thing. Two different brands never mix, and a bare number is refused. */
export type Id<Brand extends string> = number & { readonly __brand: Brand };

/** Virtual page number: a virtual address divided by the base page size. Up to 2^36: never shift it. */
export type Vpn = Id<"Vpn">;
/** Physical frame number. Less than 2^31. */
export type Pfn = Id<"Pfn">;
/** Row of a PMD entry in the page-table columns: PMD table × 512 + index. See `kernel/mm/page-table.ts`. */
export type PmdRow = Id<"PmdRow">;
/** NUMA node. */
export type NodeId = Id<"NodeId">;
/** CPU. */
export type CpuId = Id<"CpuId">;
/** Address space. */
export type MmId = Id<"MmId">;
/** Task: a process's thread. */
export type TaskId = Id<"TaskId">;

export const asVpn = (value: number): Vpn => value as Vpn;
export const asPfn = (value: number): Pfn => value as Pfn;
export const asPmdRow = (value: number): PmdRow => value as PmdRow;
export const asNode = (value: number): NodeId => value as NodeId;
export const asCpu = (value: number): CpuId => value as CpuId;
export const asMm = (value: number): MmId => value as MmId;
export const asTask = (value: number): TaskId => value as TaskId;

/** No frame: the sentinel of every column that holds a `Pfn`. */
export const NO_FRAME = -1 as Pfn;
/** No row: the address has no PMD table yet. */
export const NO_ROW = -1 as PmdRow;
/** No node preference. */
export const NO_NODE = -1 as NodeId;

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
/** Microseconds in ns. */
export const US_NS = 1_000;
/** Milliseconds in ns. */
export const MS_NS = 1_000_000;
/** Seconds in ns. */
export const S_NS = 1_000_000_000;

/** The base page of x86-64, in bytes; the same in every geometry. */
export const PAGE_BYTES = 4096;
