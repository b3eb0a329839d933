import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHART } from "./helm.ts";

/** A field that the version before does not know. */
export const NEW_FIELD = "restartedAt";

/**
 * The chart as the version before the first release would have been: another version number, and a resource without one of today's fields.
 * Resolves with its folder.
 */
export async function previousChart(): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), "synod-e2e-chart-")), "synod");
  await cp(CHART, folder, { recursive: true });
  await edit(join(folder, "Chart.yaml"), (text) => text.replaceAll(/^(version|appVersion): .*$/gm, "$1: 0.0.9"));
  await edit(join(folder, "templates/crd/_spec.tpl"), (text) => withoutBlock(text, `${NEW_FIELD}:`));
  return folder;
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  const before = await readFile(path, "utf8");
  const after = change(before);
  if (after === before) throw new Error(`${path} is not as the tests expect it`);
  await writeFile(path, after);
}

/** YAML without the block that begins with a line, and what is indented deeper below it. */
function withoutBlock(text: string, begin: string): string {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.trimStart().startsWith(begin));
  if (at < 0) return text;
  const depth = indentOf(lines[at] ?? "");
  const length = lines.slice(at + 1).findIndex((line) => indentOf(line) <= depth);
  return [...lines.slice(0, at), ...lines.slice(at + 1 + length)].join("\n");
}

const indentOf = (line: string): number => line.length - line.trimStart().length;
