/**
 * How commands meet commander: a command's work returns its exit code, and only main.ts exits with it.
 *
 *     0 all is well
 *     1 an expectation does not hold, or input was understood in part
 *     2 the user's mistake
 */
import type { Command } from "commander";

export const EXIT = { ok: 0, broken: 1, mistake: 2 } as const;

const codes = new WeakMap<Command, number>();

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

/** Sets what a command does. `work` gets the arguments and the options, and answers with the exit code. */
export function whenCalled<Arguments extends unknown[]>(
  command: Command,
  work: (...args: Arguments) => number | Promise<number>,
): void {
  command.action(async (...args: unknown[]) => {
    // Commander appends the command itself behind arguments and options.
    const code = await work(...(args.slice(0, -1) as Arguments));
    codes.set(rootOf(command), code);
  });
}

/** The exit code of the command that was called; 0 when none was. */
export function exitCodeOf(program: Command): number {
  return codes.get(program) ?? EXIT.ok;
}
