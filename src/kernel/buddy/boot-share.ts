/**
 * The kernel's own share of each zone when programs start: what it reserved before the allocator began, and
 * what it has allocated since.
 *
 *     ┌ image, bounce buffers ┬────────── free ──────────┬ allocated at boot ┬ memory map, per-CPU areas ┐
 *
 * Read off /proc/zoneinfo of Debian's 6.1.0-56 (cloud), booted without address randomisation in virtual PCs
 * of 0.5 to 8 GiB with 1 to 8 nodes and 2 to 8 CPUs. What is reserved is exact there, to 4 pages a zone. What
 * is allocated is the mean of 13 boots; a boot has up to 2,500 pages more or less on a node, because the
 * threads of boot run where chance puts them.
 *
 * Models:       mm/sparse.c sparse_init_nid(), mm/percpu.c pcpu_embed_first_chunk(), kernel/dma/swiotlb.c
 *               swiotlb_init_remap(), kernel/dma/pool.c dma_atomic_pool_init(), mm/page_alloc.c
 *               alloc_large_system_hash(), v6.1; KASLR off.
 * Not modelled: other kernels' images (this one's stands for all), drivers of real hardware, pages that boot
 *               leaves free in a CPU's lists.
 */
import { type Buddy, ZONE, type Zone } from "./state.ts";

/** The first MiB: firmware, the real-mode trampoline, and what the kernel keeps away from both. */
const LOW_RESERVED_PAGES = 256;
/** Code, data and page tables at physical 16 MiB; gaps and init sections have been freed. */
const IMAGE_PAGES = 8103;
/**
 * Init sections, gaps of the image and the first file system: free after khugepaged has set the watermarks.
 */
export const FREED_LATE_PAGES = 2333;
/** Pages whose 64-byte descriptors fill a page. */
const PAGES_PER_MEMMAP_PAGE = 64;
/** pg_data_t, and the tables of sparse memory. */
const RESERVED_NODE_PAGES = 44;
/** The first node has a few more. */
const RESERVED_FIRST_NODE_PAGES = 3;
/** `percpu: Embedded 61 pages/cpu`. */
const RESERVED_CPU_PAGES = 61;
/** Allocated before nodes were known, from the top of memory. */
const RESERVED_TOP_PAGES = 9;
/** ACPI tables at the top of memory below 4 GiB. */
const FIRMWARE_PAGES = 32;
/** 64 MiB of bounce buffers below 4 GiB, where memory lies above, and their descriptors. */
const BOUNCE_PAGES = 16_384;
const BOUNCE_DESCRIPTOR_PAGES = 195;

/** Dentry and inode hashes: in one piece on a machine of one node, else in pages spread over all nodes. */
const HASH_PAGES_PER_GIB = 384;

/** Slabs, page tables, per-CPU chunks that each node has. */
const TAKEN_NODE_PAGES = 800;
/** Network hash tables, per-zone pools, and what else goes by memory. */
const TAKEN_PAGES_PER_GIB = 226;
/** Thread stacks and slabs of early boot, 900, and the directory of trace events, 2,450: on one node. */
const TAKEN_BOOT_PAGES = 3350;
/** The first file system is unpacked by a thread that runs elsewhere, where there are other nodes. */
const TAKEN_UNPACK_PAGES = 1500;
/** DMA pools of 128 KiB for each GiB, to the next power of two, at most one block of the highest order. */
const POOL_PAGES_PER_GIB = 32;
const POOL_MAX_PAGES = 1024;

const GIB_PAGES = 2 ** 18;

/** A zone's pages that are not free when programs start. */
export interface KernelShare {
  /** Reserved at the zone's start and end: never the allocator's. */
  readonly startPages: number;
  readonly endPages: number;
  /** Allocated since, below `endPages`: managed, and not free. */
  readonly takenPages: number;
}

const spanPages = (zone: Zone): number => zone.endPfn - zone.startPfn;
const lastOf = (zones: readonly Zone[]): Zone => zones[zones.length - 1]!;

/** The highest zone below 4 GiB. */
const lastBelow = (b: Buddy): Zone => lastOf(b.zones.filter(({ kind }) => kind !== ZONE.NORMAL));
const hasBounce = (b: Buddy): boolean => lastOf(b.zones).kind === ZONE.NORMAL;

function reservedAtStart(b: Buddy, zone: Zone): number {
  if (zone.id === 0) return LOW_RESERVED_PAGES;
  const image = zone.id === 1 ? IMAGE_PAGES : 0;
  return image + (hasBounce(b) && zone === lastBelow(b) ? BOUNCE_PAGES : 0);
}

function reservedAtEnd(b: Buddy, zone: Zone): number {
  const own = b.nodes[zone.node]!.zones;
  let pages = zone === lastBelow(b) ? FIRMWARE_PAGES : 0;
  if (zone !== lastOf(own)) return pages;
  const nodePages = zone.endPfn - own[0]!.startPfn;
  pages += Math.ceil(nodePages / PAGES_PER_MEMMAP_PAGE);
  pages += RESERVED_NODE_PAGES + RESERVED_CPU_PAGES * b.cpusOfNode[zone.node]!;
  if (zone.node === 0) pages += RESERVED_FIRST_NODE_PAGES;
  if (b.nodes.length === 1) pages += Math.round(HASH_PAGES_PER_GIB * hashGib(gibOf(b)));
  if (zone === lastOf(b.zones)) pages += RESERVED_TOP_PAGES + (hasBounce(b) ? BOUNCE_DESCRIPTOR_PAGES : 0);
  return pages;
}

const gibOf = (b: Buddy): number => b.frames.rows / GIB_PAGES;

/**
 * GiB that the hashes are sized for: from 64 GiB on they double only each time memory becomes four times
 * more.
 */
function hashGib(gib: number): number {
  let counted = gib;
  for (let adapt = 64; adapt < gib; adapt *= 4) counted /= 2;
  return counted;
}

function poolPages(gib: number): number {
  const blockPages = 2 ** Math.ceil(Math.log2(POOL_PAGES_PER_GIB * Math.max(gib, 1)));
  return Math.min(blockPages, POOL_MAX_PAGES);
}

function taken(b: Buddy, zone: Zone): number {
  const own = b.nodes[zone.node]!.zones;
  if (zone.kind === ZONE.DMA) return poolPages(gibOf(b));
  if (zone !== lastOf(own)) return 0;
  const nodeGib = (zone.endPfn - own[0]!.startPfn) / GIB_PAGES;
  const hashPages = b.nodes.length === 1 ? 0 : (HASH_PAGES_PER_GIB * hashGib(gibOf(b))) / b.nodes.length;
  const unpacks = Math.min(1, b.nodes.length - 1);
  return (
    TAKEN_NODE_PAGES +
    Math.round(TAKEN_PAGES_PER_GIB * nodeGib + hashPages) +
    (zone.node === 0 ? TAKEN_BOOT_PAGES : 0) +
    (zone.node === unpacks ? TAKEN_UNPACK_PAGES : 0)
  );
}

/**
 * What the kernel keeps of this zone. Zones too small for a real kernel give up to a quarter for each part;
 * test geometries (huge pages below 2 MiB) keep nothing.
 */
export function kernelShare(b: Buddy, zone: Zone): KernelShare {
  if (b.geometry.hugeOrder !== 9) return { startPages: 0, endPages: 0, takenPages: 0 };
  const mostPages = spanPages(zone) >> 2;
  return {
    startPages: Math.min(reservedAtStart(b, zone), zone.id === 0 ? spanPages(zone) >> 3 : mostPages),
    endPages: Math.min(reservedAtEnd(b, zone), mostPages),
    takenPages: Math.min(taken(b, zone), mostPages),
  };
}
