/**
 * Three kinds of failure, three mechanisms: our bug → `assert`; a kernel outcome → a returned word;
 * the user's mistake → `UserError`, to which the faces (cli, web) add advice.
 */

/** A belief of ours did not hold. Always on, never caught: the message is the belief as a sentence. */
export class BrokenBelief extends Error {
  override name = "BrokenBelief";
}

/** Throws `BrokenBelief` when a condition that we believe always holds does not. */
export function assert(condition: boolean, belief: string): asserts condition {
  if (!condition) throw new BrokenBelief(belief);
}

/** Where in the user's input a mistake stands. `line` and `column` count from 1, `byteOffset` from 0. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly byteOffset?: number;
}

/** The user's mistake: says where, what was found and what was expected. The command line exits with 2. */
export class UserError extends Error {
  override name = "UserError";
  readonly place: Place;

  constructor(message: string, place: Place = {}) {
    super(message);
    this.place = place;
  }
}

/** `file:line:column: message`, or `file: byte N: message`; parts that are unknown are left out. */
export function describeUserError(error: UserError): string {
  const { file, line, column, byteOffset } = error.place;
  let where = file ?? "";
  if (line !== undefined)
    where += (where ? ":" : "line ") + line + (column === undefined ? "" : ":" + column);
  else if (byteOffset !== undefined) where += (where ? ": " : "") + "byte " + byteOffset;
  return where ? where + ": " + error.message : error.message;
}
