import { expect, test } from "vitest";
import { type CpioEntry, writeCpio } from "./cpio.ts";

/** Reads an archive the plain way: name, mode and contents of each entry, up to the trailer. */
function readBack(archive: Uint8Array): string[] {
  const text = (from: number, to: number): string => new TextDecoder().decode(archive.subarray(from, to));
  const found: string[] = [];
  for (let at = 0; ; ) {
    const field = (index: number): number =>
      Number.parseInt(text(at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const name = text(at + 110, at + 110 + nameSize - 1);
    const contents = Math.ceil((at + 110 + nameSize) / 4) * 4;
    if (name === "TRAILER!!!") return found;
    found.push(`${mode.toString(8)} ${name} ${JSON.stringify(text(contents, contents + size))}`);
    at = Math.ceil((contents + size) / 4) * 4;
  }
}

const ENTRIES: readonly CpioEntry[] = [
  { kind: "folder", path: "dev" },
  { kind: "device", path: "dev/console", major: 5, minor: 1 },
  { kind: "file", path: "init", contents: new TextEncoder().encode("run!!"), executable: true },
  { kind: "file", path: "scripts/00000", contents: new TextEncoder().encode("cpu 0\n"), executable: false },
];

test("folders, devices and files come out of the archive as they went in", () => {
  expect(readBack(writeCpio(ENTRIES))).toEqual([
    '40755 dev ""',
    '20600 dev/console ""',
    '100755 init "run!!"',
    '100644 scripts/00000 "cpu 0\\n"',
  ]);
});

test("the same entries give the same bytes, and every header begins at a multiple of four", () => {
  const archive = writeCpio(ENTRIES);
  expect(archive).toEqual(writeCpio(ENTRIES));
  expect(archive.length % 4).toBe(0);
  const text = new TextDecoder("latin1").decode(archive);
  const heads = [...text.matchAll(/070701/g)].map(({ index }) => index % 4);
  expect(heads).toEqual([0, 0, 0, 0, 0]);
});
