/**
 * Builds our valgrind tool from its C source and the installed valgrind's headers and libraries, once for
 * each version, into the user's cache. Its licence is valgrind's (GPL-2.0-or-later); nothing of it is linked
 * here.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../lib/assert.ts";
import { cacheFolder } from "../validate/folders.ts";
import { toolVersion } from "./host-facts.ts";
import { onPath } from "./launcher.ts";

const TOOL = "pagefold-amd64-linux";
const LOAD_ADDRESS = "0x58000000";

/** Where distributions put valgrind's development files. */
const LIBRARY_FOLDERS = ["/usr/lib/x86_64-linux-gnu/valgrind", "/usr/lib64/valgrind", "/usr/lib/valgrind"];
const HEADER_FOLDERS = ["/usr/include/valgrind", "/usr/local/include/valgrind"];
/** Where what valgrind loads at run time is. */
const RUNTIME_FOLDERS = ["/usr/libexec/valgrind", ...LIBRARY_FOLDERS];

const CORE = "libcoregrind-amd64-linux.a";
const INSTALL = "(Debian: apt install valgrind gcc; Fedora: dnf install valgrind-devel gcc)";

interface Installed {
  readonly libraries: string;
  readonly headers: string;
  readonly runtime: string;
}

function installed(): Installed | undefined {
  const libraries = LIBRARY_FOLDERS.find((folder) => existsSync(join(folder, CORE)));
  const headers = HEADER_FOLDERS.find((folder) => existsSync(join(folder, "pub_tool_basics.h")));
  const runtime = RUNTIME_FOLDERS.find((folder) => existsSync(join(folder, "default.supp")));
  if (libraries === undefined || headers === undefined || runtime === undefined) return undefined;
  return { libraries, headers, runtime };
}

/** The tool's C source: beside this file in the sources, and in the package that ships it. */
function sourceFile(): string {
  const folders = [
    join(import.meta.dirname, "valgrind"),
    join(import.meta.dirname, "..", "..", "src", "record", "valgrind"),
  ];
  const found = folders.map((folder) => join(folder, "pagefold.c")).find((file) => existsSync(file));
  if (found === undefined) throw new UserError("the package lacks the valgrind tool's source (pagefold.c)");
  return found;
}

/** Why the tool cannot be built here; undefined when it can, or is. */
export function toolMissing(): string | undefined {
  if (process.arch !== "x64") return "the tool is for x86-64";
  if (onPath("cc", "gcc", "clang") === undefined) return `building the tool needs a C compiler ${INSTALL}`;
  if (installed() === undefined) return `building the tool needs valgrind's headers and libraries ${INSTALL}`;
  return undefined;
}

/** The folder with the built tool, as VALGRIND_LIB names it. */
export async function demandTool(): Promise<string> {
  const source = sourceFile();
  const version = /\d+(\.\d+)+/.exec(toolVersion("valgrind") ?? "")?.[0] ?? "unknown";
  const hash = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 12);
  const folder = join(cacheFolder(undefined), "valgrind", `pagefold-${hash}-valgrind-${version}`);
  if (!existsSync(join(folder, TOOL))) build(source, folder);
  return folder;
}

/** Compiles beside the folder and moves it there when it is whole. */
function build(source: string, folder: string): void {
  const { libraries, headers, runtime } = installed()!;
  const compiler = onPath("cc", "gcc", "clang")!;
  const work = `${folder}.${process.pid}.part`;
  mkdirSync(work, { recursive: true });
  try {
    const object = join(work, "pagefold.o");
    const platform = ["amd64=1", "linux=1", "amd64_linux=1", "amd64_linux_vanilla=1"];
    const names = ["VGA_", "VGO_", "VGP_", "VGPV_"].map((prefix, i) => `-D${prefix}${platform[i]}`);
    const plain = ["-fno-strict-aliasing", "-fno-builtin", "-fno-stack-protector", "-fno-pic"];
    compile(compiler, ["-m64", "-O2", ...plain, ...names, `-I${headers}`, "-c", source, "-o", object]);
    const bare = ["-static", "-no-pie", "-nodefaultlibs", "-nostartfiles", "-u", "_start"];
    const place = ["-Wl,--build-id=none", `-Wl,-Ttext-segment=${LOAD_ADDRESS}`];
    const own = [CORE, "libvex-amd64-linux.a"].map((name) => join(libraries, name));
    const last = ["-lgcc", join(libraries, "libgcc-sup-amd64-linux.a")].filter(
      (name) => name.startsWith("-") || existsSync(name),
    );
    compile(compiler, ["-m64", ...bare, ...place, "-o", join(work, TOOL), object, ...own, ...last]);
    for (const name of ["default.supp", "vgpreload_core-amd64-linux.so"]) {
      symlinkSync(join(runtime, name), join(work, name));
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    throw error;
  }
}

function compile(compiler: string, options: readonly string[]): void {
  const { status, stderr } = spawnSync(compiler, options, { encoding: "utf8" });
  if (status === 0) return;
  const first = (stderr ?? "").split("\n").find((line) => /error/.test(line)) ?? stderr?.split("\n")[0];
  throw new UserError(`the valgrind tool does not build here: ${first ?? `${compiler} failed`}`, {
    file: "pagefold.c",
  });
}
