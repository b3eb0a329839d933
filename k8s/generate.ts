import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderKustomizations } from "./render.ts";

// Writes both kustomizations anew, so that files of objects that the chart no longer has go.
const files = renderKustomizations();
for (const folder of ["operator", "cluster"]) rmSync(join(import.meta.dirname, folder), { recursive: true, force: true });
for (const [path, content] of files) {
  const file = join(import.meta.dirname, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
process.stdout.write(`${files.size} files\n`);
