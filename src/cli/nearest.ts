/** The generation that stands for a kernel release: the newest that is not newer, else the oldest. */
import { GENERATIONS } from "../generations/index.ts";

/**
 * Only mainline releases have a place in the order: linux-6.18 stands for 6.18.44 and, without a newer, 6.19.
 */
function versionOf(name: string): number | undefined {
  const found = /^linux-(\d+)\.(\d+)$/.exec(name);
  return found === null ? undefined : Number(found[1]) * 1000 + Number(found[2]);
}

/** Name of the generation nearest to a release such as `6.18.44-amd64`. */
export function generationOfRelease(release: string): string {
  const found = /^(\d+)\.(\d+)/.exec(release);
  const wanted = found === null ? 0 : Number(found[1]) * 1000 + Number(found[2]);
  let best: { readonly name: string; readonly version: number } | undefined;
  for (const { name } of GENERATIONS) {
    const version = versionOf(name);
    if (version === undefined) continue;
    const isNearer =
      best === undefined ||
      (version <= wanted
        ? best.version > wanted || version > best.version
        : version < best.version && best.version > wanted);
    if (isNearer) best = { name, version };
  }
  return best?.name ?? GENERATIONS[0]!.name;
}
