/**
 * `npm run wasm`: writes src/kernel/tlb/step-code.ts, the machine code of `step.ts`: WebAssembly, whose
 * vector instructions search and reorder a set of a TLB at once and without a branch. One function for each
 * number of ways that a second level may have.
 *
 *     first level, one vector:   eq ─▶ where ─▶ that one in front, by a table of byte orders   ─▶ next record
 *                                  └─ nowhere ─▶ second level, ways / 4 vectors:
 *                                     eq ─▶ where (nowhere: the last) ─▶ those before it one on, it in front
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import wabt from "wabt";
import { MEMORY, STEP_WAYS } from "../src/kernel/tlb/step.ts";
import { HUGE_KEY } from "../src/kernel/tlb/tlb.ts";

export const STEP_CODE_FILE = join(import.meta.dirname, "..", "src", "kernel", "tlb", "step-code.ts");
const BYTES_PER_LINE = 50;

const chunksOf = (ways: number): number[] => Array.from({ length: ways / 4 }, (_, chunk) => chunk);
const lanes = (first: number): string => [0, 1, 2, 3].map((lane) => first + lane).join(" ");
/** Bytes of a vector whose tags are one place on; what comes into the first lane is the caller's. */
const ONE_ON = "i8x16.shuffle 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27";
const IS_WANTED = (tags: string): string =>
  `(i32x4.bitmask (i32x4.eq (v128.or ${tags} (v128.const i32x4 1 1 1 1)) (local.get $wanted4)))`;

/** Key, set of the first level and index of the sets of the record's page. */
const PAGE = `
  (if (i32.and (local.get $outlook) (i32.const 1))
    (then
      (local.set $index (local.get $page))
      (local.set $wanted (i32.or (i32.shl (local.get $page) (i32.const 1)) (i32.const 1)))
      (local.set $set (i32.add (local.get $l1Small)
        (i32.shl (i32.and (local.get $page) (local.get $l1SmallMask)) (i32.const 4)))))
    (else
      (local.set $index (i32.shr_u (local.get $page) (local.get $hugeOrder)))
      (local.set $wanted (i32.or (i32.const 1)
        (i32.shl (i32.add (i32.const ${HUGE_KEY}) (local.get $index)) (i32.const 1))))
      (local.set $set (i32.add (local.get $l1Huge)
        (i32.shl (i32.and (local.get $index) (local.get $l1HugeMask)) (i32.const 4))))))
  (local.set $wanted4 (i32x4.splat (local.get $wanted)))
  (local.set $first (v128.load (local.get $set)))`;

/** A write to an entry that was cached when it could not be written ends the run, the entry in front. */
const STOP_AT_CLEAN = `
  (br_if $done (i32.and (i32.ne (local.get $tag) (local.get $wanted))
    (i32.shr_u (local.get $outlook) (i32.const 3))))`;

const FIRST_LEVEL = `
  (v128.store (local.get $set) (local.tee $first (i8x16.swizzle (local.get $first)
    (v128.load (i32.shl (i32.ctz (local.get $hits)) (i32.const 4))))))
  (local.set $tag (i32x4.extract_lane 0 (local.get $first)))
  ${STOP_AT_CLEAN}`;

function secondLevel(ways: number): string {
  const chunks = chunksOf(ways);
  const load = (c: number) => `(local.set $c${c} (v128.load offset=${16 * c} (local.get $set2)))`;
  const found = (c: number) => `(i32.shl ${IS_WANTED(`(local.get $c${c})`)} (i32.const ${4 * c}))`;
  const moved = (c: number) => {
    const on = `(${ONE_ON} (local.get $c${Math.max(0, c - 1)}) (local.get $c${c}))`;
    const upTo = `(i32x4.le_u (v128.const i32x4 ${lanes(4 * c)}) (local.get $at4))`;
    const tags = `(v128.bitselect ${on} (local.get $c${c}) ${upTo})`;
    return c === 0 ? `(i32x4.replace_lane 0 ${tags} (local.get $tag))` : tags;
  };
  const store = (c: number) => `(v128.store offset=${16 * c} (local.get $set2) ${moved(c)})`;
  return `
  (local.set $set2 (i32.add (local.get $l2)
    (i32.mul (i32.and (local.get $index) (local.get $l2Mask)) (i32.const ${4 * ways}))))
  ${chunks.map(load).join("\n")}
  (local.set $hits ${chunks.map(found).reduce((all, each) => `(i32.or ${all} ${each})`)})
  (local.set $at (select (i32.ctz (local.get $hits)) (i32.const ${ways - 1}) (local.get $hits)))
  (local.set $tag (select
    (i32.load (i32.add (local.get $set2) (i32.shl (local.get $at) (i32.const 2))))
    (local.get $wanted) (local.get $hits)))
  (local.set $at4 (i32x4.splat (local.get $at)))
  ${chunks.map(store).join("\n")}
  (v128.store (local.get $set) (i32x4.replace_lane 0
    (${ONE_ON} (local.get $first) (local.get $first)) (local.get $tag)))
  ${STOP_AT_CLEAN}
  (local.set $walked (i32.eqz (local.get $hits)))
  (local.set $seconds (i32.sub (i32.add (local.get $seconds) (i32.const 1)) (local.get $walked)))
  (local.set $smallWalks (i32.add (local.get $smallWalks)
    (i32.and (local.get $walked) (local.get $outlook))))
  (local.set $hugeWalks (i32.add (local.get $hugeWalks)
    (i32.and (local.get $walked) (i32.shr_u (local.get $outlook) (i32.const 1)))))`;
}

function stepFunction(ways: number): string {
  const given = "count l1Small l1SmallMask l1Huge l1HugeMask l2 l2Mask hugeOrder".split(" ");
  const numbers =
    "i outlook page index wanted set set2 hits at tag walked seconds smallWalks hugeWalks".split(" ");
  const vectors = ["first", "wanted4", "at4", ...chunksOf(ways).map((c) => `c${c}`)];
  return `
(func (export "step${ways}") ${given.map((name) => `(param $${name} i32)`).join(" ")} (result i32)
  ${numbers.map((name) => `(local $${name} i32)`).join(" ")}
  ${vectors.map((name) => `(local $${name} v128)`).join(" ")}
  (block $done (loop $next
    (br_if $done (i32.ge_u (local.get $i) (local.get $count)))
    (local.set $outlook (i32.load8_u offset=${MEMORY.outlook} (local.get $i)))
    (local.set $page (i32.load offset=${MEMORY.linear} (i32.shl (local.get $i) (i32.const 2))))
    ${PAGE}
    (local.set $walked (i32.const 0))
    (local.set $hits ${IS_WANTED("(local.get $first)")})
    (if (local.get $hits) (then ${FIRST_LEVEL}) (else ${secondLevel(ways)}))
    (i32.store8 offset=${MEMORY.walked} (local.get $i) (local.get $walked))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br $next)))
  (i32.store offset=${MEMORY.counts} (i32.const 0) (local.get $seconds))
  (i32.store offset=${MEMORY.counts + 4} (i32.const 0) (local.get $smallWalks))
  (i32.store offset=${MEMORY.counts + 8} (i32.const 0) (local.get $hugeWalks))
  (local.get $i))`;
}

/** The text of step-code.ts. */
export async function renderStepCode(): Promise<string> {
  const { parseWat } = await wabt();
  const text = `(module (memory (import "step" "memory") 1) ${STEP_WAYS.map(stepFunction).join("\n")})`;
  const code = parseWat("step.wat", text, { simd: true });
  const hex = Buffer.from(code.toBinary({}).buffer).toString("hex");
  const lines = hex.match(new RegExp(`.{1,${2 * BYTES_PER_LINE}}`, "g"))!;
  return `/**
 * The machine code of step.ts, in hexadecimal. Written by \`npm run wasm\` from tools/tlb-step.ts.
 *
 * Models:       see step.ts.
 * Not modelled: see step.ts.
 */
export const STEP_CODE = \`
${lines.join("\n")}
\`;
`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(STEP_CODE_FILE, await renderStepCode());
