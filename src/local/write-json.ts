import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** Replaces a small JSON file at once: a reader sees the old content or the new, never a part. Not synced. */
export function writeJson(path: string, value: unknown): void {
  const beside = `${path}.tmp`;
  writeFileSync(beside, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(beside, path);
}

/** The parsed content, or null when there is no such file or it is not JSON. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}
