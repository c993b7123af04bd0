import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { UserError } from "../lib/assert.ts";
import { IMPORT_FORMATS } from "../workloads/import/detect.ts";
import { exitCodeOf } from "./command.ts";
import { registerCompare } from "./compare.ts";
import { registerExport } from "./export.ts";
import { registerImport } from "./import.ts";
import { registerInfo } from "./info.ts";

const printed: string[] = [];
vi.mock("./host.ts", async (original) => ({
  ...(await original<typeof import("./host.ts")>()),
  out: (text: string) => printed.push(text),
  err: (text: string) => printed.push(text),
}));

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pagewise-"));
  printed.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

/** Runs a command line; answers with its exit code. */
async function run(...words: string[]): Promise<number> {
  const program = new Command("pagewise");
  registerImport(program);
  registerInfo(program);
  registerExport(program);
  registerCompare(program);
  await program.parseAsync(words, { from: "user" });
  return exitCodeOf(program);
}

// Long enough that a compressed stream which is cut in its middle has given something.
const RUNS = Array.from(
  { length: 20_000 },
  (_, i) => `w${(0x4a00 + (i % 512)).toString(16)} ${i % 97} 1 ${i % 13}`,
);
const PWF = [
  "#pwf 1",
  "P 7",
  "T 1",
  "! 1 mmap 0 200000 3 22 ffffffff 0 = 4a00000 0",
  ...RUNS,
  "#end",
  "",
].join("\n");

describe("pagewise import", () => {
  test.each([
    ["plain", (bytes: Buffer) => bytes],
    ["gzip", (bytes: Buffer) => gzipSync(bytes)],
    ["zstd", (bytes: Buffer) => zstdCompressSync(bytes)],
  ])("a %s text, by what its bytes are", async (_name, pack) => {
    writeFileSync(at("a.pwf.zst"), pack(Buffer.from(PWF)));
    expect(await run("import", at("a.pwf.zst"))).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(["a.pwf.zst", "a.pwt"]);
    expect(printed.join("")).toContain("a.pwt: 20000 records, 1 events");
  });

  test.each([
    ["gzip", (bytes: Buffer) => gzipSync(bytes)],
    ["zstd", (bytes: Buffer) => zstdCompressSync(bytes)],
    ["plain", (bytes: Buffer) => bytes],
  ])("a %s text that is cut off gives what is there, a warning and status 1", async (_name, pack) => {
    const whole = pack(Buffer.from(PWF));
    writeFileSync(at("a.pwf"), whole.subarray(0, Math.floor(whole.length * 0.8)));
    expect(await run("import", at("a.pwf"), "--json")).toBe(1);
    expect(printed.join("")).toMatch(/warning: .*a\.pwf is cut off/);
    const { records } = JSON.parse(printed.at(-1)!) as { records: number };
    expect(records).toBeGreaterThan(0);
    expect(records).toBeLessThan(20_000);
    expect(existsSync(at("a.pwt"))).toBe(true);
  });

  test("a text that cannot be understood leaves nothing behind, and an older result as it was", async () => {
    writeFileSync(at("a.txt"), "hello\n");
    writeFileSync(at("a.pwt"), "older");
    await expect(run("import", at("a.txt"))).rejects.toThrow(UserError);
    await expect(run("import", at("a.txt"), "--format", "perf")).rejects.toThrow("can be understood as perf");
    expect(readdirSync(folder).sort()).toEqual(["a.pwt", "a.txt"]);
    expect(readFileSync(at("a.pwt"), "utf8")).toBe("older");
  });

  test("lines that cannot be read are told with file, line and byte, and give status 1", async () => {
    writeFileSync(at("a.pwf"), PWF.replace("#end", "w1 x\n#end"));
    expect(await run("import", at("a.pwf"))).toBe(1);
    expect(printed.join("")).toMatch(/a\.pwf:20005: byte \d+: expected a PWF line: .*, found "w1 x"/);
  });

  test("relaid traces are stored with their new addresses", async () => {
    writeFileSync(at("a.pwf"), PWF);
    await run("import", at("a.pwf"), "--layout", "relaid");
    expect(await run("export", "--text", at("a.pwt"))).toBe(0);
    expect(printed.join("")).toContain("map start=0x7ffff7c00000 length=0x200000 prot=3");
    expect(printed.join("")).toContain("#layout relaid");
  });

  test("what the user says of the recording stands in it", async () => {
    writeFileSync(at("a.pwf"), PWF);
    await run("import", at("a.pwf"), "--program", "mine", "--recorded-under", "never", "-o", at("b.pwt"));
    await run("info", at("b.pwt"), "--json");
    const facts = JSON.parse(printed.at(-1)!) as { header: object };
    expect(facts.header).toMatchObject({ program: "mine", recordedUnder: "never", source: "pwf" });
    expect(facts).toMatchObject({ records: 20_000, pages: 512, processes: [{ pid: 7, pages: 512 }] });
  });

  test("several inputs and one output do not go together", async () => {
    await expect(run("import", at("a"), at("b"), "-o", at("c"))).rejects.toThrow("cannot go to one place");
  });
});

describe("pagewise compare warns of a recording", () => {
  const warned = async (file: string): Promise<string> => {
    printed.length = 0;
    await run("compare", at(file), "--generation", "linux-6.18", "--settings", "thp=never");
    return printed.filter((each) => each.includes("warning")).join("");
  };

  test("under THP always: there a fault that made a huge page hides those behind it", async () => {
    const faults = Array.from(
      { length: 40 },
      (_, i) =>
        `a 1/1 [000] 7.${String(i).padStart(9, "0")}: exceptions:page_fault_user: ` +
        `address=0x${((0x1000 + i) * 4096).toString(16)} ip=0x5 error_code=0x6\n`,
    ).join("");
    writeFileSync(at("a.txt"), faults);
    await run("import", at("a.txt"), "--recorded-under", "always", "-o", at("always.pwt"));
    await run("import", at("a.txt"), "--recorded-under", "never", "-o", at("never.pwt"));
    expect(await warned("always.pwt")).toMatch(/recorded under THP always: .* Record under never/);
    expect(await warned("never.pwt")).toBe("");
  });

  test("of system calls alone: it holds no use of memory, and nothing can be predicted", async () => {
    const call =
      "12 1795266665.707296 mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)";
    writeFileSync(at("s.txt"), `${call} = 0x7fa95b315000\n${call} = 0x7fa95b317000\n`);
    await run("import", at("s.txt"), "-o", at("s.pwt"));
    expect(await warned("s.pwt")).toMatch(/not a single use of memory: there is nothing to predict/);
  });
});

describe("pagewise info", () => {
  test("a text is no stored trace, and is told what to do", async () => {
    writeFileSync(at("a.pwf"), PWF);
    await expect(run("info", at("a.pwf"))).rejects.toThrow("pwf text, not a stored trace: import it first");
    await expect(run("info", "-")).rejects.toThrow("expected a file: standard input is not read here");
  });

  test("a stored trace compressed once more is compared as it is; info says what to undo", async () => {
    writeFileSync(at("a.pwf"), PWF);
    await run("import", at("a.pwf"));
    writeFileSync(at("a.pwt.gz"), gzipSync(readFileSync(at("a.pwt"))));
    const figures = async (name: string): Promise<unknown> => {
      expect(await run("compare", at(name), "--json")).toBe(0);
      const [column] = JSON.parse(printed.at(-1)!).columns;
      return [column.vmstat, column.peak_rss_kb];
    };
    expect(await figures("a.pwt.gz")).toEqual(await figures("a.pwt"));
    await expect(run("info", at("a.pwt.gz"))).rejects.toThrow(/^compressed with gzip: .* undo it first/);
  });

  test("damage is found", async () => {
    writeFileSync(at("a.pwf"), PWF);
    await run("import", at("a.pwf"));
    const bytes = readFileSync(at("a.pwt"));
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(at("a.pwt"), bytes);
    await expect(run("info", at("a.pwt"))).rejects.toThrow(/block 1 is damaged/);
  });

  test("what a killed recorder leaves is described up to there, and import makes a trace of it", async () => {
    writeFileSync(at("a.pwf"), PWF);
    await run("import", at("a.pwf"), "--codec", "none");
    const bytes = readFileSync(at("a.pwt"));
    writeFileSync(at("a.pwt.7.part"), bytes.subarray(0, bytes.length - 30));
    expect(await run("info", at("a.pwt.7.part"), "--json")).toBe(1);
    const facts = JSON.parse(printed.findLast((each) => each.startsWith("{"))!) as Record<string, unknown>;
    expect(facts).toMatchObject({
      records: 20_000,
      cut_off: expect.stringMatching(/^cut off in block 2: 30 of/),
    });
    await expect(run("import", at("a.pwt.7.part"))).rejects.toThrow("say --output FILE");
    expect(await run("import", at("a.pwt.7.part"), "-o", at("saved.pwt"))).toBe(1);
    expect(await run("info", at("saved.pwt"), "--json")).toBe(0);
    expect(JSON.parse(printed.at(-1)!)).toMatchObject({ records: 20_000, cut_off: null });
    await expect(run("import", at("a.pwt"), "-o", at("b.pwt"))).rejects.toThrow("already, and whole");
    await expect(run("export", at("a.pwt.7.part"), "--text")).rejects.toThrow('"pagewise import" saves');
  });

  test.each(["redis.pwt", "redis-references.pwt"])("the bundled trace %s is whole", async (name) => {
    expect(await run("info", join(import.meta.dirname, "../../examples", name), "--json")).toBe(0);
    const facts = JSON.parse(printed.at(-1)!) as { header: object; records: number };
    expect(facts.header).toMatchObject({ program: "redis-server" });
    expect(facts.records).toBe(name === "redis.pwt" ? 23_043 : 117_395);
  });
});

test("import --help sets every format's name apart from what it is", () => {
  const program = new Command("pagewise");
  registerImport(program);
  let help = "";
  const command = program.commands[0]!.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  for (const name of Object.keys(IMPORT_FORMATS))
    expect(help).toMatch(new RegExp(`^ {2}${name} {2,}\\S`, "m"));
});
