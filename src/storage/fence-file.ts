import { SynodError } from "../errors/synod-error.ts";
import { FENCE_FILE, join } from "./folder-layout.ts";
import type { FileSystem } from "./interface.ts";
import { readSealed, writeSealed } from "./sealed-document.ts";

/**
 * Why a member does not vote: what it kept is damaged, its folder was copied or restored, or its disk failed. The first two
 * are for ever, the last ends with the life of the process, since the next one makes durable what it reads (rule 5b).
 */
export type FenceKind = "corrupt" | "copied" | "disk";

export interface Fence {
  readonly kind: FenceKind;
  readonly reason: string;
}

/** Keeps in the folder that its incarnation never votes again, durably, before it resolves. The first note stays. */
export async function noteFence(fileSystem: FileSystem, folder: string, fence: Fence): Promise<void> {
  const path = join(folder, FENCE_FILE);
  if ((await fileSystem.readFile(path)) !== null) return;
  await writeSealed(fileSystem, path, { ...fence });
}

/** Null when the folder was not fenced. A note that cannot be read is one all the same. */
export async function readFence(fileSystem: FileSystem, folder: string): Promise<Fence | null> {
  try {
    const document = await readSealed(fileSystem, join(folder, FENCE_FILE));
    if (document === null) return null;
    const { kind, reason } = document;
    return { kind: kind === "copied" ? "copied" : "corrupt", reason: String(reason) };
  } catch (error) {
    if (isCorrupt(error)) return { kind: "corrupt", reason: error.message };
    throw error;
  }
}

/** What an error that was met in a folder means for the incarnation in it; null: nothing for ever. */
export function fenceOf(error: unknown): Fence | null {
  if (isCorrupt(error)) return { kind: "corrupt", reason: error.message };
  if (!(error instanceof SynodError) || error.code !== "SYNOD_ERR_FENCED") return null;
  return { kind: error.details?.["kind"] === "copied" ? "copied" : "corrupt", reason: error.message };
}

export function fenceError({ kind, reason }: Fence): SynodError {
  return new SynodError("SYNOD_ERR_FENCED", reason, { kind });
}

function isCorrupt(error: unknown): error is SynodError {
  return error instanceof SynodError && error.code === "SYNOD_ERR_CORRUPT";
}
