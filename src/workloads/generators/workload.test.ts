import { expect, test } from "vitest";
import { UserError } from "../../lib/assert.ts";
import { WORKLOADS, workloadByName } from "./index.ts";
import { paramRange, printParam } from "./workload.ts";

function refusal(text: string): string {
  try {
    workloadByName(text);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return "accepted";
}

test("a name alone takes every parameter at its default", () => {
  const { name, values } = workloadByName("numa02");
  expect(name).toBe("numa02");
  expect(values).toEqual({ threads: 0, size: 64 * 2 ** 20, rounds: 8000 });
});

test("parameters are read by their kind, and the name tells only what is not the default", () => {
  const { name, values } = workloadByName("numa02, threads=8 ,size=1G,rounds=8000");
  expect(values).toEqual({ threads: 8, size: 2 ** 30, rounds: 8000 });
  expect(name).toBe("numa02,threads=8,size=1G");
});

test("every mistake says what was found and what was expected, with a suggestion where there is one", () => {
  const table: [text: string, message: RegExp][] = [
    ["numa2", /expected one of numa01, .*found 'numa2'; did you mean 'numa02'\?/],
    ["", /expected one of .*found ''/],
    [
      "numa02,thread=8",
      /numa02 has no parameter 'thread', only threads, size, rounds; did you mean 'threads'\?/,
    ],
    ["numa02,threads", /expected PARAM=VALUE after 'numa02,', found 'threads'/],
    ["numa02,", /expected PARAM=VALUE after 'numa02,', found ''/],
    ["numa02,=8", /expected PARAM=VALUE/],
    ["numa02,threads=-1", /expected a whole number, 0 to 4096, for threads, found '-1'/],
    ["numa02,size=4K", /expected a size such as 64M, 2M to 1T, for size, found '4K'/],
    ["numa02,size=many", /expected a size such as 64M, 2M to 1T, for size, found 'many'/],
    ["numa02,threads=8,threads=9", /expected threads= only once/],
  ];
  for (const [text, message] of table) expect(refusal(text)).toMatch(message);
});

test("every default is written as it is read, and lies in its range", () => {
  for (const spec of WORKLOADS) {
    const all = Object.entries(spec.params).map(
      ([name, param]) => `${name}=${printParam(param, param.default)}`,
    );
    expect(workloadByName([spec.name, ...all].join(",")).name).toBe(spec.name);
    for (const param of Object.values(spec.params)) expect(paramRange(param)).not.toBe("");
  }
});

test("workloads have names of their own, and say what they stand for and where they are from", () => {
  expect(new Set(WORKLOADS.map(({ name }) => name)).size).toBe(WORKLOADS.length);
  for (const { standsFor, source } of WORKLOADS) {
    expect(standsFor.length).toBeGreaterThan(40);
    expect(source.length).toBeGreaterThan(10);
  }
});
