import { describe, expect, test } from "vitest";
import { FIGURES } from "../hardware/figures.ts";
import { HARDWARE } from "../hardware/index.ts";
import { hardwareFromToml } from "../hardware/read-toml.ts";
import { figuresOf, nearestHardware, readMeasured, tomlOf } from "./calibrate.ts";

/** Two repetitions, the second on a busier machine. */
const TEXT = `syscall_ns 170.1
zero_bytes_per_ns 20
clock_ghz 3.5
read_fault_ns 600
write_fault_ns 1500
fork_page_ns 90
cow_fault_ns 2000
munmap_page_ns 250
chase 32 1
chase 512 3
skip huge pages the kernel gave none
syscall_ns 190
zero_bytes_per_ns 15
clock_ghz 2.1
read_fault_ns 900
write_fault_ns 1600
fork_page_ns -20
cow_fault_ns 4000
munmap_page_ns 260
chase 32 1.5
chase 512 9
skip huge pages the kernel gave none
`;

const figure = (name: string) => figuresOf(readMeasured(TEXT)).find((each) => each.name === name);

describe("calibration", () => {
  test("takes the best repetition, and tells the spread and the method beside it", () => {
    expect(figure("faultNs")).toEqual({
      name: "faultNs",
      value: 600,
      source: "measured: read_fault_ns 600 (best of 2, 600 to 900); a read of the zero page",
    });
    expect(figure("zeroPageBytesPerNs")?.value).toBe(20);
    expect(figure("clockGhz")?.value).toBe(3.5);
  });

  test("makes a part of what is left of the whole", () => {
    // 1500 less 600 for the fault and 4096 bytes at 20 a ns.
    expect(figure("allocPageNs")?.value).toBe(695);
    // 2000 less 600, 695 and one flush.
    const copyNs = 2000 - 600 - (1500 - 600 - 204.8) - FIGURES.flushOneNs.default;
    expect(figure("copyPageBytesPerNs")?.value).toBeCloseTo(4096 / copyNs, 1);
    expect(figure("secondLevelCycles")?.value).toBe(7);
  });

  test("leaves out what was not measured, or makes no sense", () => {
    expect(figure("zeroHugeBytesPerNs")).toBeUndefined();
    expect(figure("forkPteNs")).toBeUndefined();
  });

  test("writes a description that --hardware reads back", () => {
    const measured = readMeasured(TEXT);
    const calibration = { base: HARDWARE[0]!, figures: figuresOf(measured), measured, why: undefined };
    const toml = tomlOf(calibration, "box");
    const hardware = hardwareFromToml(toml, "box.toml");
    expect(hardware.name).toBe("box");
    expect(hardware.figures.faultNs).toMatchObject({ value: 600 });
    expect(toml).toContain("# Not measured: huge pages the kernel gave none.");
    expect(toml).toMatch(/^# {5}512 pages {4}3\.00 ns a load \(to 9\.00\)$/m);
  });

  test("without a compiler the description is the base's, and says so", () => {
    const toml = tomlOf({ base: HARDWARE[0]!, figures: [], measured: undefined, why: "no compiler" }, "box");
    expect(toml).toContain("# Nothing was measured: no compiler.");
    expect(hardwareFromToml(toml, "box.toml").figures).toEqual(HARDWARE[0]!.figures);
  });

  test("the base is the processor's own description where one comes along", () => {
    const cpu = (vendor: string, family: number, model: number) =>
      nearestHardware(`vendor_id\t: ${vendor}\ncpu family\t: ${family}\nmodel\t\t: ${model}\n`).name;
    expect(cpu("AuthenticAMD", 25, 17)).toBe("zen4");
    expect(cpu("AuthenticAMD", 25, 1)).toBe("zen3");
    expect(cpu("AuthenticAMD", 26, 2)).toBe("zen5");
    expect(cpu("GenuineIntel", 6, 85)).toBe("skylake-sp");
    expect(cpu("GenuineIntel", 6, 106)).toBe("ice-lake-sp");
    expect(cpu("Unknown", 1, 1)).toBe(HARDWARE[0]!.name);
  });
});
