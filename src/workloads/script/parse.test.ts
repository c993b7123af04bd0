import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "vitest";
import { describeUserError, UserError } from "../../lib/assert.ts";
import type { Statement } from "./ast.ts";
import { parseMachine } from "./header.ts";
import { parseScript } from "./parse.ts";

/** The script's statements, one a line, as a picture. */
function picture(text: string): unknown[] {
  return parseScript(text, "t.pw").body.map(({ line: _line, ...rest }: Statement) => rest);
}

/** The message of the mistake in a script. */
function mistake(text: string): string {
  try {
    parseScript(text, "t.pw");
  } catch (error) {
    assert.ok(error instanceof UserError);
    return describeUserError(error);
  }
  return "no mistake";
}

const fixtures = new URL("./fixtures/", import.meta.url);

test("scripts that a real kernel was recorded under are understood", () => {
  const files = readdirSync(fixtures).filter((name) => name.endsWith(".pw"));
  assert.equal(files.length, 7);
  for (const name of files) {
    const script = parseScript(readFileSync(new URL(name, fixtures), "utf8"), name);
    assert.ok(script.body.length > 2 && script.settings.length > 0, name);
  }
});

test("sizes are binary, times are ns, and a range without its end goes to the region's end", () => {
  assert.deepEqual(
    picture("map a 2M at 0x600000100000 ro shared populate\nwrite a 64K.. step 4K\nsleep 20ms"),
    [
      {
        op: "map",
        region: "a",
        size: 2_097_152,
        at: 0x600000100000,
        align: undefined,
        prot: "ro",
        shared: true,
        populate: true,
      },
      { op: "write", region: "a", range: { from: 65_536, to: undefined }, step: 4096, random: undefined },
      { op: "sleep", ns: 20_000_000 },
    ],
  );
});

test("random touches keep all 64 bits of their seed", () => {
  const [, touch] = picture("map a 1G\nread a 0..1G random 18446744073709551615 7");
  assert.deepEqual(touch, {
    op: "read",
    region: "a",
    range: { from: 0, to: 2 ** 30 },
    step: 4096,
    random: { seed: 2n ** 64n - 1n, count: 7 },
  });
});

test("blocks nest, and each statement knows its line", () => {
  const script = parseScript(
    "map a 4K # one page\n\nfork c {\n  repeat 3 {\n    write a\n  }\n}\njoin c\n",
    "t.pw",
  );
  const [map, fork, join] = script.body;
  assert.deepEqual([map!.line, fork!.line, join!.line], [1, 3, 8]);
  assert.ok(fork!.op === "fork" && fork!.body[0]!.op === "repeat" && fork!.body[0]!.body[0]!.line === 5);
});

test("settings, machine and expectations are kept apart from the statements", () => {
  const script = parseScript(
    `machine nodes=2 cpus=4 mem=2G huge=16K
set vm.swappiness 10
map buf 4M
write buf
set transparent_hugepage/enabled always
snapshot all
expect thp_fault_alloc == 2
tolerance pgfault 10%
tolerance buf.rss_kb 8
expect pgfault <= 100
expect buf.rss_kb >= 4096`,
    "t.pw",
  );
  assert.deepEqual(script.machine, { nodes: 2, cpus: 4, memBytes: 2 ** 31, hugeBytes: 16_384 });
  assert.deepEqual(
    script.settings.map((each) => [each.line, each.knob, each.value]),
    [
      [2, "vm.swappiness", "10"],
      [5, "transparent_hugepage/enabled", "always"],
    ],
  );
  assert.deepEqual(
    script.expectations.map((e) => [e.line, e.snapshot, e.figure, e.comparison, e.value, e.tolerance]),
    [
      [7, "all", "thp_fault_alloc", "==", 2, 0],
      [10, "all", "pgfault", "<=", 100, 10],
      [11, "all", "buf.rss_kb", ">=", 4096, 8],
    ],
  );
});

test(
  "a mistake names file, line, column, what was found, what was expected and what was probably " + "meant",
  () => {
    const table: [string, string][] = [
      ["\n  wirte a", "t.pw:2:3: expected a statement, found 'wirte'; did you mean 'write'?"],
      ["map a", "t.pw:1:6: expected the region's size (such as 4096, 64K, 2M or 1G), the line ends here"],
      ["map a 2Q", "t.pw:1:7: expected the region's size (such as 4096, 64K, 2M or 1G), found '2Q'"],
      [
        "map 7 2M",
        "t.pw:1:5: expected the region's name (letters, digits, '_' and '-', a letter first), found '7'",
      ],
      ["map a 2M ro rw", "t.pw:1:13: expected each option of map once, found 'rw'"],
      [
        "map a 2M align 3K",
        "t.pw:1:16: expected an alignment that is a power of two (such as 2M), " + "found '3K'",
      ],
      ["sleep 20", "t.pw:1:7: expected how long (such as 500us, 20ms or 3s), found '20'"],
      ["map a 2M at 600000", "t.pw:1:13: expected an address (0x… below 2^48), found '600000'"],
      [
        "map a 2M\nread a 2M..1M",
        "t.pw:2:8: expected a range that does not end before it begins, found '2M..1M'",
      ],
      ["map a 2M\nread a step 0", "t.pw:2:13: expected the step of at least 1 bytes, found '0'"],
      [
        "map a 2M\nadvise a hugepages",
        "t.pw:2:10: expected an advice (hugepage, nohugepage, collapse, dontneed, free, cold, " +
          "pageout, willneed, " +
          "dontfork, dofork), found 'hugepages'; did you mean 'hugepage'?",
      ],
      ["cpu 1 2", "t.pw:1:7: expected the end of the line, found '2'"],
      ["repeat 3", "t.pw:1:9: expected '{' (it ends the line that opens a block), the line ends here"],
      ["repeat 3 {\ncpu 0", "t.pw:1:10: expected a '}' that closes this block, found the end of the script"],
      ["cpu 0\n}", "t.pw:2:1: expected a statement, found '}' without its '{'"],
      [
        "machine nodes=1 cpus=1 mem=1G\nmachine nodes=1 cpus=1 mem=1G",
        "t.pw:2:1: expected only one 'machine' line (the first is line 1), found 'machine'",
      ],
      [
        "machine nodes=1 cpu=1",
        "t.pw:1:17: expected nodes=, cpus=, mem=, huge=, swap= or scale=, found 'cpu=1'; " +
          "did you mean 'cpus='?",
      ],
      ["machine nodes=1 cpus=1", "t.pw:1:23: expected mem=, the line ends here"],
      [
        "machine nodes=0 cpus=1 mem=1G",
        "t.pw:1:9: expected nodes=N, a whole number of at least 1, found 'nodes=0'",
      ],
      [
        "set transparent_hugepage/enabled",
        "t.pw:1:33: expected the value of transparent_hugepage/enabled, the line ends here",
      ],
    ];
    for (const [text, message] of table) assert.equal(mistake(text), message);
  },
);

test("names that stand for nothing, or for two things, are mistakes before anything runs", () => {
  const table: [string, string][] = [
    [
      "map buf 2M\nwrite bfu",
      "t.pw:2: no 'map' statement maps a region 'bfu' (known: buf); did you mean 'buf'?",
    ],
    ["join c", "t.pw:1: no 'fork' or 'thread' starts 'c' (none is)"],
    ["map a 4K\nmap a 8K", "t.pw:2: expected a new name for this region, found 'a' of line 1"],
    ["fork c {\n}\nfork c {\n}", "t.pw:3: expected a new name for this fork, found 'c' of line 1"],
    ["map a 4K\nexpect pgfault == 1", "t.pw:2:1: expected a 'snapshot' above this 'expect', found none"],
    [
      "map a 4K\nsnapshot s\nsnapshot s\nexpect pgfault == 1",
      "t.pw:4: expected one snapshot 's' to check against, found them at lines 2, 3",
    ],
    [
      "snapshot s\nexpect thp_fault_aloc == 1",
      "t.pw:2:8: expected a counter (such as thp_fault_alloc) or REGION.figure, found 'thp_fault_aloc'; " +
        "did you mean 'thp_fault_alloc'?",
    ],
  ];
  for (const [text, message] of table) assert.equal(mistake(text), message);
});

test("a name is free again after unmap or join, and a forked child's names are its own", () => {
  assert.equal(mistake("map a 4K\nunmap a\nmap a 8K"), "no mistake");
  assert.equal(mistake("fork c {\nmap x 4K\n}\njoin c\nfork c {\nmap x 4K\n}\njoin c"), "no mistake");
  assert.equal(mistake("fork c {\nfork c {\n}\n}"), "no mistake");
});

test(
  "a machine of the command line is read by the same words, and the option is named as the " + "place",
  () => {
    assert.equal(parseMachine("nodes=1 cpus=2 mem=24G", "--machine").memBytes, 24 * 2 ** 30);
    assert.throws(() => parseMachine("nodes=1 cpus=two mem=24G", "--machine"), /cpus=N, a whole number/);
  },
);
