/** Starts the page: with the results inside it, if it is a report, else with a place to drop a file. */
import { effect } from "@preact/signals";
import { render } from "preact";
import { describeUserError, UserError } from "../lib/assert.ts";
import { App } from "./app.tsx";
import { embedded, openPageText } from "./files.ts";
import { followHash, goTo, placeOf } from "./hash.ts";
import { prepareViews } from "./idle.ts";
import { listenToKeys } from "./keys.ts";
import { fail } from "./runner.ts";
import { theme } from "./state.ts";
import "./style.css";
import { DARK, LIGHT, variablesOf } from "./theme.ts";
import { acceptDrops } from "./views/drop.tsx";

const dark = matchMedia("(prefers-color-scheme: dark)");
theme.value = dark.matches ? "dark" : "light";
dark.addEventListener("change", () => {
  theme.value = dark.matches ? "dark" : "light";
});

effect(() => {
  const root = document.documentElement;
  root.dataset.theme = theme.value;
  root.style.colorScheme = theme.value;
  const colours = theme.value === "dark" ? DARK : LIGHT;
  for (const [name, colour] of Object.entries(variablesOf(colours))) root.style.setProperty(name, colour);
});

performance.mark("script");
const place = placeOf(location.hash);
const data = embedded();
try {
  if (data !== undefined) await openPageText(data, "this page");
} catch (error) {
  fail(error instanceof UserError ? describeUserError(error) : String(error));
}
performance.mark("data");
goTo(place);
followHash();
listenToKeys();
acceptDrops();
render(<App />, document.getElementById("app")!);
performance.mark("rendered");
document.documentElement.dataset.ready = "true";
prepareViews();
