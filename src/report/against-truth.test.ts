import { expect, test } from "vitest";
import { sampleResult } from "../../test/samples/results.ts";
import { againstTruth } from "./against-truth.ts";

test("figures of the model stand beside the kernel's, with the difference; others are left out", () => {
  const columns = [
    { name: "thp=never", result: sampleResult({ hugeFromFault: 0, vmstat: { pgfault: 1010 } }) },
    { name: "thp=always", result: sampleResult({ hugeFromFault: 20, vmstat: { pgfault: 50 } }) },
  ];
  const source = "Linux 6.18.44 (median of 3 runs)";
  const text = againstTruth(columns, [
    { column: "thp=never", source, pageFaults: 1000, hugePages: 0 },
    { column: "thp=always", source, pageFaults: 51, hugePages: 20 },
    { column: "thp=madvise", source, pageFaults: 7 },
  ]);
  expect(text).toBe(
    [
      "",
      "Against Linux 6.18.44 (median of 3 runs):",
      "                                         model  kernel  difference",
      "  thp=never   huge pages at first touch      0       0          ±0",
      "              page faults                1,010   1,000   +10 (+1%)",
      "  thp=always  huge pages at first touch     20      20          ±0",
      "              page faults                   50      51    −1 (-2%)",
      "",
    ].join("\n"),
  );
});
