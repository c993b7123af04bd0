/** `pagewise`: the only file that exits. */
import { runProgram } from "./program.ts";

process.exit(await runProgram(process.argv.slice(2)));
