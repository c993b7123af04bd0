/**
 * `pagewise`: the only file that sets the exit status. It lets Node end by itself: `process.exit` joins V8's
 * compiler threads without a last garbage collection, and one that waits for memory then waits for ever (seen
 * with Node 24 on a loaded machine).
 */
import { STDIN_NAME } from "./input.ts";
import { runProgram } from "./program.ts";

process.exitCode = await runProgram(process.argv.slice(2));
// A writer that is still there would keep us waiting for its end.
if (process.argv.includes(STDIN_NAME)) process.stdin.destroy();
