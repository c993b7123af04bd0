/** `pagewise check`: scenarios, every interleaving of them, and the races drawn. */
import type { Command } from "commander";
import { drawText } from "../explore/diagram.ts";
import { drawSvg } from "../explore/diagram-svg.ts";
import { compareReduction } from "../explore/reduction.ts";
import type { Form, Race, Scenario } from "../explore/scenario.ts";
import { SCENARIOS } from "../explore/scenarios/index.ts";
import { LIMITS, type Limits } from "../explore/search.ts";
import { parseSchedule, printSchedule, type Story, shorten, tell } from "../explore/story.ts";
import { type Verdict, verdictsOf } from "../explore/verdict.ts";
import { GENERATIONS } from "../generations/index.ts";
import { UserError } from "../lib/assert.ts";
import { demandNamed, didYouMean } from "../lib/suggest.ts";
import { formatCount } from "../report/format.ts";
import { wrapped } from "../report/text.ts";
import { EXIT, whenCalled } from "./command.ts";
import { demandWritable, err, out, painterOf, widthChars, writeWhole } from "./host.ts";

const EXAMPLES = `
Examples:
  $ pagewise check
  $ pagewise check pin-then-migrate
  $ pagewise check pin-then-migrate --form F0 --svg race.svg
  $ pagewise check --all

Exit status: 0 everything is as the scenarios expect (with --generation: nothing is found);
1 something is not, or was not exhausted; 2 a mistake in what was asked.`;

interface CheckOptions {
  readonly all?: true;
  readonly form?: string;
  readonly generation?: string;
  readonly schedule?: string;
  readonly schedules?: string;
  readonly withoutReduction?: true;
  readonly json?: true;
  readonly svg?: string;
}

export function registerCheck(program: Command): void {
  const command = program
    .command("check")
    .summary("run scenarios in every interleaving and draw the races")
    .description(
      "Run the kernel's own paths in every interleaving of a few actors on a small machine. Without " +
        "a name, list the scenarios. A violation is drawn with as few preemptions as it needs.",
    )
    .argument("[scenario]", "a scenario's name")
    .option("--all", "check every scenario and print the table")
    .option("--form <name>", "check that form alone")
    .option("--generation <name>", "check this kernel instead of the forms that the scenario names")
    .option(
      "--schedule <list>",
      "run one schedule and draw it: the actor of each step, such as 0.0.1 or 0*2.1",
    )
    .option("--schedules <count>", `most schedules to run before giving up (${LIMITS.schedulesMax})`)
    .option("--without-reduction", "also run every single schedule, and compare the final states")
    .option("--json", "print JSON")
    .option("--svg <file>", "draw the race, or the schedule, as SVG")
    .addHelpText("after", EXAMPLES);
  whenCalled(command, (name: string | undefined, options: CheckOptions) => {
    demandFitting(name, options);
    if (options.svg !== undefined) demandWritable(options.svg, "--svg");
    if (options.all === true) return checkAll(options);
    if (name === undefined) return list(options);
    return checkOne(scenarioOf(name), options);
  });
}

/** Options that say something of one scenario alone. */
const OF_ONE = [
  ["generation", "--generation"],
  ["schedule", "--schedule"],
  ["withoutReduction", "--without-reduction"],
  ["svg", "--svg"],
] as const;
/** Options that a list of the scenarios has no use for. */
const OF_RUNS = [["form", "--form"], ["schedules", "--schedules"], ...OF_ONE] as const;

/** Throws for options that would be ignored. */
function demandFitting(name: string | undefined, options: CheckOptions): void {
  if (options.all === true && name !== undefined)
    throw new UserError(`expected either --all or a scenario, found '${name}' too`, { file: "--all" });
  if (name !== undefined) return;
  const [, option] =
    (options.all === true ? OF_ONE : OF_RUNS).find(([key]) => options[key] !== undefined) ?? [];
  if (option === undefined) return;
  throw new UserError("expected a scenario with it, found none; 'pagewise check' lists them", {
    file: option,
  });
}

function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  const names = SCENARIOS.map((scenario) => scenario.name);
  throw new UserError(
    `there is no scenario '${name}'${didYouMean(name, names)}; 'pagewise check' lists them`,
  );
}

function limitsOf({ schedules }: CheckOptions): Limits {
  if (schedules === undefined) return LIMITS;
  if (!/^[1-9]\d{0,8}$/.test(schedules))
    throw new UserError(`--schedules is '${schedules}'; expected a whole number from 1 on`);
  return { ...LIMITS, schedulesMax: Number(schedules) };
}

function list({ json }: CheckOptions): number {
  if (json === true) {
    const scenarios = SCENARIOS.map(({ name, entries, kind, claim }) => ({ name, entries, kind, claim }));
    out(JSON.stringify({ scenarios }) + "\n");
    return EXIT.ok;
  }
  const { bold, dim } = painterOf();
  for (const { name, entries, claim, kind } of SCENARIOS) {
    out(`${bold(name)}  ${dim([kind, ...entries].join(" "))}\n`);
    out(wrapped("    " + claim, Math.min(110, widthChars()), "    ").join("\n") + "\n");
  }
  return EXIT.ok;
}

/** A scenario's lines in the table: its name, then a line for each form. */
function tableLines(scenario: Scenario, verdicts: readonly Verdict[], seconds: number): string {
  const { bold, dim } = painterOf();
  const entries = scenario.entries.length > 0 ? "  " + dim(scenario.entries.join(" ")) : "";
  const lines = [bold(scenario.name) + entries];
  for (const { form, kind, schedules, text, asExpected } of verdicts) {
    const ran =
      kind === "race" ? `${schedules} schedules`.padStart(16) + `${seconds.toFixed(1)} s`.padStart(8) : "";
    const mark = asExpected ? "" : "  NOT AS EXPECTED";
    const head = `    ${(form || kind).padEnd(30)}${ran.padEnd(24)}${mark}`.trimEnd();
    lines.push(head, ...wrapped("        " + text, Math.min(110, widthChars()), "        "));
  }
  return lines.join("\n") + "\n";
}

function totalsOf(verdicts: readonly Verdict[]): string {
  const entries = (kind: Scenario["kind"]) =>
    new Set(verdicts.filter((verdict) => verdict.kind === kind).flatMap((verdict) => verdict.entries)).size;
  const scenarios = new Set(verdicts.map(({ scenario }) => scenario)).size;
  const schedules = verdicts.reduce((sum, verdict) => sum + verdict.schedules, 0);
  const wrong = verdicts.filter((verdict) => !verdict.asExpected).length;
  const catalogue =
    `${entries("race")} explored, ${entries("cost")} counted, ` + `${entries("elsewhere")} elsewhere`;
  return (
    `\n${formatCount(verdicts.length, "form")} of ${formatCount(scenarios, "scenario")}, ` +
    `${schedules} schedules; ` +
    `${wrong} not as expected\nentries of the review catalogue: ${catalogue}\n`
  );
}

/** All scenarios, or with `--form` those that have a form of that name. */
function scenariosWith(form: string | undefined): readonly Scenario[] {
  if (form === undefined) return SCENARIOS;
  const formsOf = (scenario: Scenario): readonly Form[] =>
    scenario.kind === "elsewhere" ? [] : scenario.forms;
  demandNamed(
    [...new Map(SCENARIOS.flatMap(formsOf).map((each) => [each.name, each])).values()],
    form,
    "--form",
  );
  return SCENARIOS.filter((scenario) => formsOf(scenario).some(({ name }) => name === form));
}

function checkAll(options: CheckOptions): number {
  const limits = limitsOf(options);
  const verdicts: Verdict[] = [];
  for (const scenario of scenariosWith(options.form)) {
    const startMs = performance.now();
    const made = verdictsOf(scenario, options.form, limits);
    const seconds = (performance.now() - startMs) / 1000 / made.length;
    verdicts.push(...made);
    if (options.json !== true) out(tableLines(scenario, made, seconds));
  }
  if (options.json === true) out(JSON.stringify({ verdicts }) + "\n");
  else out(totalsOf(verdicts));
  return verdicts.every((verdict) => verdict.asExpected) ? EXIT.ok : EXIT.broken;
}

function checkOne(scenario: Scenario, options: CheckOptions): number {
  const status = checkForms(scenario, options);
  if (options.json !== true && scenario.kind !== "elsewhere" && scenario.alike !== undefined)
    out(wrapped(`No form shows more: ${scenario.alike}.`, Math.min(110, widthChars()), "").join("\n") + "\n");
  return status;
}

function checkForms(scenario: Scenario, options: CheckOptions): number {
  const { schedule, svg } = options;
  if (scenario.kind !== "race") {
    if (schedule !== undefined || svg !== undefined)
      throw new UserError(`${scenario.name} is no race: it has no schedules to replay or draw`);
    if (options.generation !== undefined || options.withoutReduction === true)
      throw new UserError(`${scenario.name} is no race: it runs in the forms that it names, in one schedule`);
    if (options.form !== undefined && scenario.kind === "elsewhere")
      throw new UserError(`${scenario.name} has no forms: ${scenario.why}`);
    if (options.form !== undefined && scenario.kind === "cost")
      demandNamed(scenario.forms, options.form, "--form");
    return report(verdictsOf(scenario, options.form), undefined, options);
  }
  const race = options.generation === undefined ? scenario : onGeneration(scenario, options.generation);
  if (options.form !== undefined) formOf(race, options.form);
  if (schedule !== undefined) return replay(race, schedule, options);
  if (options.withoutReduction === true) return compare(race, options);
  const verdicts = verdictsOf(race, options.form, limitsOf(options));
  const broken = verdicts.find(({ found }) => found !== undefined);
  if (broken === undefined) {
    if (svg !== undefined) throw new UserError(`nothing to draw: no violation was found in ${race.name}`);
    return report(verdicts, undefined, options);
  }
  const form = formOf(race, broken.form);
  const words = broken.found!.what.split(":")[0]!;
  const short = shorten(race, form, broken.found!, words);
  return report(verdicts, tell(race, form, short.schedule), options);
}

/** The scenario on another kernel, where nothing is expected but that it holds. */
function onGeneration(race: Race, name: string): Race {
  const generation = demandNamed(GENERATIONS, name, "--generation");
  return { ...race, forms: [{ name, generation: generation.name, expect: "holds" }] };
}

function formOf(race: Race, name: string | undefined): Form {
  if (name === undefined) return race.forms[0]!;
  return demandNamed(race.forms, name, "--form");
}

function replay(race: Race, schedule: string, options: CheckOptions): number {
  const story = tell(race, formOf(race, options.form), parseSchedule(schedule));
  return report([], story, options);
}

/** With reduction and without it: the same final states? */
function compare(race: Race, options: CheckOptions): number {
  const form = formOf(race, options.form);
  const reduction = compareReduction(race, form, limitsOf(options));
  const { reduced, whole, reducedStates, wholeStates, differing } = reduction;
  const sound = differing === 0 && whole.exhausted && reduced.exhausted;
  const end = whole.exhausted ? "" : ", not exhausted";
  if (options.json === true)
    out(JSON.stringify({ scenario: race.name, form: form.name, ...reduction }) + "\n");
  else {
    out(`${race.name}, ${form.name}\n`);
    out(`  with reduction     ${reduced.schedules} schedules, ${reducedStates} final states\n`);
    out(`  without            ${whole.schedules} schedules, ${wholeStates} final states${end}\n`);
    out(`  factor ${(whole.schedules / reduced.schedules).toFixed(1)}, ${differing} final states differ\n`);
  }
  return sound ? EXIT.ok : EXIT.broken;
}

function replayLine(story: Story, { generation }: CheckOptions): string {
  const which = generation === undefined ? `--form '${story.form}'` : `--generation ${generation}`;
  return `pagewise check ${story.scenario} ${which} --schedule ${printSchedule(story.schedule)}`;
}

function report(verdicts: readonly Verdict[], story: Story | undefined, options: CheckOptions): number {
  const fine = verdicts.every((verdict) => verdict.asExpected);
  if (story !== undefined && options.svg !== undefined) writeWhole(options.svg, drawSvg(story));
  if (options.json === true) {
    out(JSON.stringify({ verdicts, story }) + "\n");
  } else {
    for (const { form, text, schedules, asExpected } of verdicts) {
      const count = schedules > 1 ? ` (${schedules} schedules)` : "";
      out(`${form || "elsewhere"}: ${text}${count}${asExpected ? "" : " (not as expected)"}\n`);
    }
    if (story !== undefined) {
      out(`\n${story.scenario}, ${story.form}: ${story.what ?? "nothing is wrong at the end"}\n\n`);
      out(drawText(story, Math.max(80, Math.min(widthChars(), 160))));
      out(`\nreplay: ${replayLine(story, options)}\n`);
    }
  }
  if (options.svg !== undefined && options.json !== true) err(`drawn: ${options.svg}\n`);
  if (verdicts.length === 0) return story?.what === undefined ? EXIT.ok : EXIT.broken;
  return fine ? EXIT.ok : EXIT.broken;
}
