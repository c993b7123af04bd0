/** The page: everything in one file, worker included, so that it works from file:// and is sent as one. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8"));

export default defineConfig({
  root: join(import.meta.dirname, "src", "web"),
  base: "./",
  plugins: [viteSingleFile({ removeViteModuleLoader: true })],
  define: { __PAGEWISE_VERSION__: JSON.stringify(version) },
  worker: { format: "iife" },
  build: {
    outDir: join(import.meta.dirname, "dist", "web"),
    emptyOutDir: true,
    target: "es2023",
    chunkSizeWarningLimit: 4000,
    license: { fileName: "licenses.md" },
  },
});
