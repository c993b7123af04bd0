/** `npm start`: the main job on the bundled trace, a table and the path of an HTML report. */
import { EXIT } from "./command.ts";
import { out } from "./host.ts";
import { runProgram } from "./program.ts";

const ARGUMENTS = [
  ["compare", "examples/redis.pwt"],
  ["--generation", "linux-6.18", "--hardware", "zen4"],
  ["--settings", "thp=never; thp=madvise; thp=always; thp=always,max_ptes_none=0"],
  ["--measured", "examples/redis.measured.json"],
  ["--html", "pagewise-report.html"],
];

const code = await runProgram(ARGUMENTS.flat());
if (code === EXIT.ok) out("Next:   npx pagewise compare --help\n");
process.exitCode = code;
