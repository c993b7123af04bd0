/**
 * Records under valgrind: with our own small tool (`valgrind/pagefold.c`), which folds references as it goes,
 * or with lackey, which every valgrind has. Both see every reference; addresses are valgrind's own, and are
 * placed as Linux would when the trace is replayed.
 */
import { demandTool, toolMissing } from "./build-tool.ts";
import { fifoCapture, makeFifo } from "./fifo.ts";
import { toolVersion } from "./host-facts.ts";
import { launch, onPath } from "./launcher.ts";
import type { Capture, Source, Subject } from "./source.ts";

const MISSES = [
  "real time and parallelism: threads run one at a time, time counts instructions",
  "the program's start in the kernel: its stack, its segments",
  "the native layout: mappings are placed as Linux would when the trace is replayed",
];

const INSTALL = "install it (Debian: apt install valgrind gcc; Fedora: dnf install valgrind-devel gcc)";

function valgrindMissing({ pid }: Subject): string | undefined {
  if (pid !== undefined) return "valgrind cannot be attached to a process that runs already";
  if (onPath("valgrind") === undefined) return `valgrind is not installed: ${INSTALL}`;
  return toolVersion("valgrind") === undefined ? `valgrind does not run here: ${INSTALL}` : undefined;
}

/** Options of every run. JIT compilers write code without saying so. */
const COMMON = ["-q", "--smc-check=all-non-file"];

export const valgrindSource: Source = {
  name: "valgrind",
  format: "pwf",
  sees: "every reference, folded, and every memory system call, with our own valgrind tool",
  misses: ["the order of references within 16 pages used together", ...MISSES],
  missing: (subject) => valgrindMissing(subject) ?? toolMissing(),
  tool: () => `${toolVersion("valgrind")}, tool pagefold`,
  async start(subject) {
    const folder = await demandTool();
    const fifo = makeFifo();
    const valgrind = ["valgrind", "--tool=pagefold", ...COMMON, "--trace-children=yes", `--out=${fifo.path}`];
    return await run(fifo, [...valgrind, ...subject.program], subject, { VALGRIND_LIB: folder }, framed);
  },
};

export const lackeySource: Source = {
  name: "lackey",
  format: "lackey",
  sees: "every reference and every system call, with valgrind's lackey; some thousand times slower",
  misses: [
    "programs that the program starts",
    "memory that the kernel writes for a program, but for read(2) and its like",
    ...MISSES,
  ],
  missing: valgrindMissing,
  tool: () => `${toolVersion("valgrind")}, tool lackey`,
  async start(subject) {
    const fifo = makeFifo();
    const shows = ["--basic-counts=no", "--trace-mem=yes", "--trace-syscalls=yes", "--trace-sched=yes"];
    // Without -q: the head that lackey prints names the process.
    const valgrind = ["valgrind", "--tool=lackey", "--smc-check=all-non-file", `--log-file=${fifo.path}`];
    return await run(fifo, [...valgrind, ...shows, ...subject.program], subject, {}, (text) => text);
  },
};

async function run(
  fifo: ReturnType<typeof makeFifo>,
  program: readonly string[],
  { hugePagesOff, fixedLayout }: Subject,
  env: NodeJS.ProcessEnv,
  wrap: (text: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): Promise<Capture> {
  try {
    const launched = await launch(program, { hugePagesOff, fixedLayout, env });
    return fifoCapture(fifo, launched, wrap(fifo.text));
  } catch (error) {
    fifo.remove();
    throw error;
  }
}

/** What the tool writes has no head and no end, for several processes write it. */
async function* framed(text: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.from("#pwf 1\n#fold window 16 pages\n");
  yield* text;
  yield Buffer.from("#end\n");
}
