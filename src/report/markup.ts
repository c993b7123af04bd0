/** Escaping, and numbers as SVG wants them. */

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for an element or a quoted attribute. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (found) => ENTITIES[found]!);
}

/** A sentence as markup: no line begins with a unit. */
export function prose(text: string): string {
  return escapeText(text).replace(/(\d) (?=(?:[KMGT]iB|B|ns|µs|ms|s)\b)/g, "$1\u00a0");
}

/** JSON that can stand inside a script element: no `</script`, no `<!--`, no line separators. */
export function embeddedJson(value: unknown): string {
  const escapes: Readonly<Record<string, string>> = {
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
    "<": "\\u003c",
  };
  return JSON.stringify(value).replace(/[<\u2028\u2029]/g, (found) => escapes[found]!);
}

/** A coordinate: a tenth of a unit is finer than any screen. */
export function xy(value: number): string {
  return String(Math.round(value * 10) / 10);
}
