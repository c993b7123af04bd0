/**
 * From the text of a workload script to its tree. A script that cannot be understood stops here, before
 * anything runs: file, line, column, what was found and what was expected.
 */
import type { Expectation, Script, ScriptMachine, Statement } from "./ast.ts";
import { readExpect, readMachine, readSet, readTolerance, type Tolerances } from "./header.ts";
import { checkNames } from "./names.ts";
import { STATEMENTS } from "./statements.ts";
import { endOfLine, expected, type Line, lineOf, mistake, peek } from "./words.ts";

/** Every word that can begin a line. */
const FIRST_WORDS = ["machine", "set", ...Object.keys(STATEMENTS), "expect", "tolerance"];

/** Scripts are short text that begins with a comment or a word of the language. */
const SCRIPT_START = /^(\s*(#.*)?\n)*\s*(machine|set|cpu|map|snapshot|repeat|fork|thread)\s/;

/** Whether a file that begins with these bytes may be a script. */
export function looksLikeScript(head: Uint8Array): boolean {
  let text = "";
  for (const byte of head) text += String.fromCharCode(byte);
  return SCRIPT_START.test(text);
}

interface Parsing {
  machine: ScriptMachine | undefined;
  machineLine: number;
  readonly settings: { knob: string; value: string; line: number }[];
  readonly body: Statement[];
  readonly expectations: Expectation[];
  readonly tolerances: Tolerances;
  /** Label of the last snapshot above. */
  snapshot: string | undefined;
  /** Blocks that are open, outermost first, with the line that opened each. */
  readonly open: { line: Line; body: Statement[] }[];
}

/** `machine`, `set`, `expect`, `tolerance`: true if the line was one of them. */
function readDirective(p: Parsing, line: Line, first: string): boolean {
  if (first === "machine") {
    if (p.machine !== undefined) {
      line.at = 0;
      throw expected(line, `only one 'machine' line (the first is line ${p.machineLine})`);
    }
    p.machine = readMachine(line);
    p.machineLine = line.number;
  } else if (first === "set") p.settings.push(readSet(line));
  else if (first === "expect") p.expectations.push(readExpect(line, p.snapshot, p.tolerances));
  else if (first === "tolerance") readTolerance(line, p.tolerances);
  else return false;
  return true;
}

function closeBlock(p: Parsing, line: Line): void {
  endOfLine(line);
  if (p.open.pop() === undefined)
    throw mistake(line, line.words[0], "expected a statement, found '}' without its '{'");
}

function readLine(p: Parsing, line: Line): void {
  const first = peek(line);
  if (first === undefined) return;
  line.at = 1;
  if (first === "}") {
    closeBlock(p, line);
    return;
  }
  if (readDirective(p, line, first)) return;
  if (!Object.hasOwn(STATEMENTS, first)) {
    line.at = 0;
    throw expected(line, "a statement", FIRST_WORDS);
  }
  const statement = STATEMENTS[first as Statement["op"]](line);
  (p.open.at(-1)?.body ?? p.body).push(statement);
  if (statement.op === "snapshot") p.snapshot = statement.label;
  // The reader of a block made the body as an array that only this parser fills.
  if ("body" in statement) p.open.push({ line, body: statement.body as Statement[] });
}

/** Parses a script; `file` is what messages call it. Throws `UserError`. */
export function parseScript(text: string, file: string): Script {
  const p: Parsing = {
    machine: undefined,
    machineLine: 0,
    settings: [],
    body: [],
    expectations: [],
    tolerances: new Map(),
    snapshot: undefined,
    open: [],
  };
  const lines = text.split(/\r\n|\n|\r/);
  for (let i = 0; i < lines.length; i++) readLine(p, lineOf(lines[i]!, file, i + 1));
  const unclosed = p.open.at(-1);
  if (unclosed !== undefined) {
    const word = unclosed.line.words.at(-1);
    throw mistake(unclosed.line, word, "expected a '}' that closes this block, found the end of the script");
  }
  const { machine, settings, body, expectations } = p;
  const script: Script = { file, machine, settings, body, expectations };
  checkNames(script);
  return script;
}
