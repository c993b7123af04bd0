/** The real kernels that a validation can ask, and how Debian's come into the cache folder. */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import type { Generation } from "../generations/generation.ts";
import { GENERATIONS, generationByName } from "../generations/index.ts";
import { UserError } from "../lib/assert.ts";
import { didYouMean } from "../lib/suggest.ts";

/** A kernel that Debian packages. */
interface DebianKernel {
  readonly name: string;
  /** The generation that stands for it. */
  readonly generation: string;
  /** Its package, cloud flavour first: it has the fewest drivers and boots fastest. */
  readonly packages: readonly RegExp[];
}

const DEBIAN: readonly DebianKernel[] = [
  {
    name: "debian-6.1",
    generation: "linux-6.1",
    packages: [/^linux-image-6\.1\.0-\d+-cloud-amd64$/, /^linux-image-6\.1\.0-\d+-amd64$/],
  },
  {
    name: "debian-6.12",
    generation: "linux-6.12",
    packages: [
      /^linux-image-6\.12\.\d+\+deb\d+(\.\d+)?-cloud-amd64$/,
      /^linux-image-6\.12\.\d+\+deb\d+(\.\d+)?-amd64$/,
    ],
  },
];

export interface Target {
  readonly name: string;
  readonly vmlinuz: string;
  /** Files of modules that it needs for a disk; none if they are built in, or unknown. */
  readonly modules: readonly string[];
  /** What is known of where it came from, for people. */
  readonly origin: string;
  readonly generation: Generation;
}

const INFO = "package.txt";
const MODULES = "modules";
/** What a disk for swap needs; a kernel that has some of them built in packs no such files. */
const DISK_MODULES = /^(virtio(_ring|_pci|_pci_legacy_dev|_pci_modern_dev|_blk)?)\.ko(\.xz)?$/;

function demandGeneration(name: string): Generation {
  const generation = generationByName(name);
  if (generation !== undefined) return generation;
  const known = GENERATIONS.map((each) => each.name);
  throw new UserError(`expected one of ${known.join(", ")}, found '${name}'${didYouMean(name, known)}`, {
    file: "--generation",
  });
}

function modulesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

/** Throws unless `--kernel` is a Debian name, or a path that is there. */
export function demandKernelNamed(kernel: string): void {
  const names = debianNames();
  if (names.includes(kernel) || existsSync(kernel)) return;
  const advice = didYouMean(kernel, names);
  throw new UserError(
    `expected ${names.join(", ")} or the path of a kernel image, found '${kernel}'${advice}`,
    { file: "--kernel" },
  );
}

/** The kernel of `--kernel`: a Debian name whose image is in the cache, or a path. */
export function targetOf(kernel: string, generation: string | undefined, cache: string): Target {
  const debian = DEBIAN.find(({ name }) => name === kernel);
  if (debian !== undefined) {
    const vmlinuz = join(cache, debian.name, "vmlinuz");
    if (!existsSync(vmlinuz)) {
      throw new UserError(
        `not run: no kernel ${kernel} in ${cache}; 'pagewise validate --setup --kernel ${kernel}' gets it`,
      );
    }
    const origin = readFileSync(join(cache, debian.name, INFO), "utf8").trim();
    const modules = modulesIn(join(cache, debian.name, MODULES));
    return {
      ...{ name: kernel, vmlinuz, modules, origin },
      generation: demandGeneration(generation ?? debian.generation),
    };
  }
  demandKernelNamed(kernel);
  if (generation === undefined) {
    throw new UserError("which generation is this kernel? Say it with --generation", { file: kernel });
  }
  return {
    ...{ name: kernel, vmlinuz: kernel, modules: [], origin: kernel },
    generation: demandGeneration(generation),
  };
}

export const debianNames = (): string[] => DEBIAN.map(({ name }) => name);

function output(program: string, args: readonly string[], cwd?: string): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8", cwd });
  return status === 0 ? stdout : undefined;
}

/** Orders package names by the numbers in them: …-9-… before …-56-…. */
function byNumbers(a: string, b: string): number {
  const numbers = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);
  const [x, y] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return x[i]! - y[i]!;
  return a < b ? -1 : 1;
}

/** The newest package of that kernel which apt knows. */
function findPackage({ name, packages }: DebianKernel): string {
  const list = output("apt-cache", ["search", "--names-only", "^linux-image-6"]);
  if (list === undefined)
    throw new UserError("apt-cache is missing: pass a kernel image with --kernel PATH instead");
  const names = list.split("\n").map((line) => line.split(" ")[0]!);
  for (const pattern of packages) {
    const newest = names
      .filter((each) => pattern.test(each))
      .sort(byNumbers)
      .at(-1);
    if (newest !== undefined) return newest;
  }
  const backports = name === "debian-6.12" ? " (it is in bookworm-backports)" : "";
  throw new UserError(
    `apt knows no package of ${name}${backports}: add its suite and run apt-get update, or use --kernel PATH`,
  );
}

/** Copies the modules of disks, unpacked, from a package's tree into the folder `modules` of `work`. */
function collectModules(tree: string, work: string): void {
  const to = join(work, MODULES);
  mkdirSync(to);
  for (const path of readdirSync(tree, { recursive: true, encoding: "utf8" })) {
    const name = basename(path);
    if (!DISK_MODULES.test(name)) continue;
    copyFileSync(join(tree, path), join(to, name));
    if (name.endsWith(".xz") && output("xz", ["-d", join(to, name)]) === undefined) {
      throw new UserError("xz is missing, which unpacks kernel modules: apt-get install xz-utils");
    }
  }
}

/** Brings a Debian kernel into the cache. Answers with what it did. */
export function fetchKernel(kernelName: string, cache: string): string {
  const debian = DEBIAN.find(({ name }) => name === kernelName);
  if (debian === undefined) return `${kernelName} is used as it is`;
  const folder = join(cache, debian.name);
  if (existsSync(join(folder, "vmlinuz")) && existsSync(join(folder, MODULES))) {
    return `${debian.name} is there: ${readFileSync(join(folder, INFO), "utf8").trim()}`;
  }
  const chosen = findPackage(debian);
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, "unpack-"));
  try {
    if (output("apt-get", ["download", chosen], work) === undefined) {
      throw new UserError(`apt-get download ${chosen} failed: run apt-get update, or use --kernel PATH`);
    }
    const deb = readdirSync(work).find((name) => name.endsWith(".deb"));
    if (deb === undefined || output("dpkg-deb", ["-x", deb, "x"], work) === undefined) {
      throw new UserError(`dpkg-deb cannot unpack ${chosen}`);
    }
    const boot = join(work, "x", "boot");
    const image = readdirSync(boot).find((name) => name.startsWith("vmlinuz-"));
    if (image === undefined) throw new UserError(`${chosen} holds no kernel image`);
    const version = decodeURIComponent(deb.split("_")[1] ?? "");
    writeFileSync(join(folder, INFO), `${chosen} ${version}\n`);
    collectModules(join(work, "x", "lib", "modules"), work);
    rmSync(join(folder, MODULES), { recursive: true, force: true });
    renameSync(join(work, MODULES), join(folder, MODULES));
    renameSync(join(boot, image), join(folder, "vmlinuz"));
    return `${debian.name} unpacked: ${chosen} ${version}`;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
