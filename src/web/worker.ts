/** The worker: runs the engine where the page stays free. All it does is in run.ts. */
import { describeUserError, UserError } from "../lib/assert.ts";
import type { FromWorker, RunRequest } from "./protocol.ts";
import { buffersIn, runFile } from "./run.ts";

const say = (message: FromWorker, transfer: Transferable[] = []): void =>
  (self as unknown as Worker).postMessage(message, transfer);

self.addEventListener("message", async ({ data }: MessageEvent<RunRequest>) => {
  try {
    const { columns, warnings } = await runFile(data.file, data.plan, (text, share) =>
      say({ kind: "progress", text, share }),
    );
    say({ kind: "result", columns, warnings }, buffersIn(columns));
  } catch (error) {
    const ours = !(error instanceof UserError);
    const message = ours ? String((error as Error)?.stack ?? error) : describeUserError(error);
    say({ kind: "failed", message, ours });
  }
});
