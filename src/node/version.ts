import { readFileSync } from "node:fs";

/** The version of this package; its manifest lies two folders up, from the sources as from the compiled files. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return (manifest as { version: string }).version;
}
