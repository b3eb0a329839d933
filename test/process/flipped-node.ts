import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HISTORY_FOLDER } from "../history/history-file.ts";
import { Program } from "../local/harness.ts";
import { NODE_UNDER_TEST, until } from "./cluster.ts";
import { call } from "./http.ts";

/** One byte of a data folder. */
export interface Place {
  /** Relative to the folder. */
  readonly file: string;
  readonly at: number;
}

export interface FileOf {
  readonly file: string;
  readonly bytes: number;
}

/** The files of a stopped member's folder, without the lock, which holds nothing. */
export async function filesOf(folder: string): Promise<FileOf[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name !== "lock").sort();
  const all = await Promise.all(names.map(async (file) => ({ file, stats: await stat(join(folder, file)) })));
  return all.filter(({ stats }) => stats.isFile()).map(({ file, stats }) => ({ file, bytes: stats.size }));
}

/** `count` places spread evenly over all bytes of `files`, the same each time. */
export function spread(files: readonly FileOf[], count: number): Place[] {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return Array.from({ length: count }, (_, index) => {
    let at = Math.floor(((index + 0.5) * total) / count);
    const found = files.find(({ bytes }) => {
      if (at < bytes) return true;
      at -= bytes;
      return false;
    });
    return { file: found?.file ?? "", at };
  });
}

export type FlipOutcome = "fenced" | "right";

/**
 * Starts a node on a copy of `folder` in which one bit of `place` is flipped, and resolves with what came of it: it says in status, metric
 * and log that it is fenced, or `isRight` finds nothing to object to. Rejects with what is wrong in all other cases.
 */
export async function startFlipped(
  folder: string, place: Place, options: { readonly name: string; readonly copy: string; readonly isRight: (url: string) => Promise<string | null> },
): Promise<FlipOutcome> {
  const { name, copy, isRight } = options;
  await mkdir(copy, { recursive: true });
  await cp(folder, copy, { recursive: true });
  const path = join(copy, place.file);
  const bytes = await readFile(path);
  bytes[place.at] = (bytes[place.at] as number) ^ (1 << (place.at % 8));
  await writeFile(path, bytes);
  const node = new Program([
    process.execPath, NODE_UNDER_TEST, "--name", name, "--data", copy, "--listen", "127.0.0.1:0", "--stop-with-parent", "--segment-bytes", "16384",
  ], { NODE_COMPILE_CACHE: join(HISTORY_FOLDER, "compile-cache") });
  try {
    await node.says(/"synod":"listening"/);
    const url = /"synod":"listening".*"url":"([^"]+)"/.exec(node.output)?.[1] ?? "";
    return await judge(node, url, isRight);
  } catch (error) {
    throw new Error(`byte ${place.at} of ${place.file} was flipped: ${(error as Error).message}\n${node.output}`, { cause: error });
  } finally {
    node.child.kill("SIGKILL");
    await node.ended;
    await rm(copy, { recursive: true, force: true });
  }
}

async function judge(node: Program, url: string, isRight: (url: string) => Promise<string | null>): Promise<FlipOutcome> {
  let outcome: FlipOutcome = "right";
  await until(`${url} serves or is fenced`, async () => {
    const { fenced, role } = JSON.parse((await call(`${url}/v1/status`)).body) as { fenced: string | null; role: string };
    if (fenced === null) return notYet(await isRight(url));
    await node.says(/SYNOD_ERR_FENCED/);
    const { body } = await call(`${url}/metrics`);
    if (role !== "fenced" || !body.includes('synod_fenced{reason="corrupt"} 1')) throw new Error("fenced, and the metric does not say so");
    outcome = "fenced";
    return null;
  });
  return outcome;
}

/** Only what begins so may pass; anything else is wrong data. */
function notYet(wrong: string | null): string | null {
  if (wrong !== null && !wrong.startsWith("not yet")) throw new Error(wrong);
  return wrong;
}
