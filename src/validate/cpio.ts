/**
 * The archive that the kernel unpacks as its first file system: "newc" cpio, the only form that it takes.
 *
 *     110-byte header, hexadecimal │ name, NUL │ pad to 4 │ contents │ pad to 4   … then TRAILER!!!
 */

/** One file of the archive. Folders of a path must stand before it. */
export type CpioEntry =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly contents: Uint8Array;
      readonly executable: boolean;
    }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "device"; readonly path: string; readonly major: number; readonly minor: number };

const HEADER_BYTES = 110;
const ALIGN_BYTES = 4;
/** File type bits of st_mode. */
const FILE = 0o100000;
const FOLDER = 0o040000;
const CHARACTER_DEVICE = 0o020000;
const END_NAME = "TRAILER!!!";

const padded = (bytes: number): number => Math.ceil(bytes / ALIGN_BYTES) * ALIGN_BYTES;

function modeOf(entry: CpioEntry): number {
  if (entry.kind === "folder") return FOLDER | 0o755;
  if (entry.kind === "device") return CHARACTER_DEVICE | 0o600;
  return FILE | (entry.executable ? 0o755 : 0o644);
}

/** The fields behind the magic, in their order: thirteen numbers of eight hexadecimal digits. */
function header(entry: CpioEntry, inode: number, sizeBytes: number, nameBytes: number): string {
  const device = entry.kind === "device" ? [entry.major, entry.minor] : [0, 0];
  const links = entry.kind === "folder" ? 2 : 1;
  const fields = [inode, modeOf(entry), 0, 0, links, 0, sizeBytes, 0, 0, ...device, nameBytes, 0];
  return "070701" + fields.map((field) => field.toString(16).padStart(8, "0")).join("");
}

/** The archive's bytes. Times and owners are zero: the same entries give the same bytes. */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const encoder = new TextEncoder();
  const end: CpioEntry = { kind: "file", path: END_NAME, contents: new Uint8Array(), executable: false };
  const parts = [...entries, end].map((entry, index) => {
    const name = encoder.encode(entry.path + "\0");
    const contents = entry.kind === "file" ? entry.contents : new Uint8Array();
    return { name, contents, head: encoder.encode(header(entry, index + 1, contents.length, name.length)) };
  });
  const sizes = parts.map((part) => padded(HEADER_BYTES + part.name.length) + padded(part.contents.length));
  const archive = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const { head, name, contents } of parts) {
    archive.set(head, at);
    archive.set(name, at + HEADER_BYTES);
    at += padded(HEADER_BYTES + name.length);
    archive.set(contents, at);
    at += padded(contents.length);
  }
  return archive;
}
