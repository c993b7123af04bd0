/**
 * Records with strace: the memory system calls and the life of processes, and nothing of how memory is used.
 */
import { fifoCapture, makeFifo } from "./fifo.ts";
import { toolVersion } from "./host-facts.ts";
import { launch, onPath } from "./launcher.ts";
import type { Source } from "./source.ts";

const CALLS = "mmap,munmap,mremap,brk,madvise,mprotect,pkey_mprotect,mlock,mlock2,prctl";
const LIFE = "clone,clone3,fork,vfork,execve,execveat,exit,exit_group";

export const straceSource: Source = {
  name: "strace",
  format: "strace",
  sees: "memory system calls and processes",
  misses: [
    "every use of memory: no fault and no page can be predicted from this, only mappings be looked at",
  ],
  missing({ pid }) {
    if (onPath("strace") === undefined)
      return "strace is not installed: apt install strace, dnf install strace";
    if (pid !== undefined) return "it would not see what the process mapped before";
    return toolVersion("strace") === undefined ? "strace does not run here" : undefined;
  },
  tool: () => toolVersion("strace") ?? "strace",
  async start(subject) {
    const fifo = makeFifo();
    const strace = ["strace", "-f", "-ttt", "-e", `trace=${CALLS},${LIFE}`, "-e", "signal=none"];
    try {
      const launched = await launch([...strace, "-o", fifo.path, "--", ...subject.program], subject);
      return fifoCapture(fifo, launched, fifo.text);
    } catch (error) {
      fifo.remove();
      throw error;
    }
  },
};
