/** `npm start`: the main job on the bundled trace, a table and the path of an HTML report. */
import { EXIT } from "./command.ts";
import { out } from "./host.ts";
import { MAIN_JOB } from "./main-job.ts";
import { runProgram } from "./program.ts";

const code = await runProgram([...MAIN_JOB, "--html", "pagewise-report.html"]);
if (code === EXIT.ok) out("Next:   npx pagewise compare --help\n");
process.exitCode = code;
