import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** Where the test cluster's programs are built, besides PATH. */
const CLUSTER_BIN = process.env["CLUSTER_BIN"] ?? join(homedir(), ".cache", "test-cluster", "bin");

/** The path of a program, or null where there is none. */
export function findTool(name: string): string | null {
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), CLUSTER_BIN]) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}
