/** What a person drops on the page: recognised by its first bytes, refused in a sentence if it is no use. */
import { describeUserError, UserError } from "../lib/assert.ts";
import { readResults } from "../report/json.ts";
import { decodePage, PAGE_DATA_ID, readPageText } from "../report/page-data.ts";
import { readRace } from "./model/race.ts";
import type { RunPlan } from "./protocol.ts";
import { fail, failure, run } from "./runner.ts";
import { announcement, race, show, step, view } from "./state.ts";
import { VERSION } from "./version.ts";

/** A page holds the whole file in memory, and some browsers no more than this. */
const BYTES_MAX = 2 ** 30;
const HEAD_BYTES = 4096;

const GIB = 2 ** 30;

function demandSize(file: File): void {
  if (file.size === 0) throw new UserError("it is empty (0 bytes)", { file: file.name });
  if (file.size <= BYTES_MAX) return;
  const size = `${(file.size / GIB).toFixed(1)} GiB`;
  throw new UserError(
    `it has ${size}, and a page can open at most 1 GiB: use the command line, ` +
      `"npx pagewise compare ${file.name} --html report.html"`,
    { file: file.name },
  );
}

/** Unpacks gzip. */
export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Opens the results that a page of ours holds. */
export async function openPageText(base64: string, file: string): Promise<void> {
  let bytes: Uint8Array;
  try {
    // A data address is decoded by the browser itself, ten times as fast as letter by letter here.
    const packed = await fetch(`data:application/octet-stream;base64,${base64.trim()}`);
    bytes = new Uint8Array(await packed.arrayBuffer());
    bytes = await gunzip(bytes as Uint8Array<ArrayBuffer>);
  } catch {
    throw new UserError("the results inside are damaged or cut off", { file });
  }
  show(decodePage(bytes, file));
}

function openJson(text: string, name: string): void {
  const trimmed = text.trimStart();
  const found = readRace(trimmed, name);
  if (found !== undefined) {
    race.value = found;
    step.value = found.steps.length - 1;
    view.value = "race";
    return;
  }
  show({ columns: readResults(trimmed, name), version: VERSION, command: "", measurements: [] });
}

async function open(file: File, plan: RunPlan): Promise<void> {
  demandSize(file);
  const head = new TextDecoder().decode(await file.slice(0, HEAD_BYTES).arrayBuffer()).trimStart();
  if (head.startsWith("{")) openJson(await file.text(), file.name);
  else if (/^<!doctype html/i.test(head)) {
    const data = readPageText(await file.text());
    if (data === undefined)
      throw new UserError("a page, but none with results of Pagewise", { file: file.name });
    await openPageText(data, file.name);
  } else {
    run(file, plan);
    return;
  }
  announcement.value = `${file.name} is shown.`;
}

/** Opens what was dropped or chosen; what is wrong with it is said in the page. */
export async function openFiles(files: readonly File[], plan: RunPlan): Promise<void> {
  failure.value = undefined;
  try {
    if (files.length !== 1) throw new UserError(`expected one file, found ${files.length}`);
    await open(files[0]!, plan);
  } catch (error) {
    if (error instanceof UserError) fail(describeUserError(error));
    else fail(`${files[0]?.name ?? "the file"} could not be read: ${String(error)}`);
  }
}

/** The results inside this page, if it is a report. */
export function embedded(): string | undefined {
  const text = document.getElementById(PAGE_DATA_ID)?.textContent ?? "";
  return text.trim() === "" ? undefined : text;
}
