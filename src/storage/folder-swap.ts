import { corrupt } from "./corrupt.ts";
import { FENCE_FILE, FOUNDING_FILE, IDENTITY_FILE, join, LOG_FOLDER, SNAPSHOT_FOLDER, SUCCESSOR_FOLDER, SWAP_FILE } from "./folder-layout.ts";
import type { FileSystem } from "./interface.ts";
import { readSealed, writeSealed } from "./sealed-document.ts";

/** All that makes a data folder a member's. The identity comes last: with it the folder is whole. */
const CONTENTS = [LOG_FOLDER, SNAPSHOT_FOLDER, FENCE_FILE, FOUNDING_FILE, IDENTITY_FILE];
const KEPT_PATTERN = /^replaced-[0-9a-f]{8}$/;

/**
 * Says that what lies complete and synced in the successor's folder takes the place of the folder's own contents, which are
 * kept in `kept`. This note is the one step at which the old becomes the new: whoever opens the folder next does the rest.
 */
export async function commitSwap(fileSystem: FileSystem, folder: string, kept: string): Promise<void> {
  await writeSealed(fileSystem, join(folder, SWAP_FILE), { step: "out", kept });
}

/**
 * Says that the folder is to be empty, as for a member that is yet to be born. With this note it is: whoever opens the folder next
 * removes what still lies there before it reads any of it.
 */
export async function commitClearance(fileSystem: FileSystem, folder: string): Promise<void> {
  await writeSealed(fileSystem, join(folder, SWAP_FILE), { step: "clear" });
}

/**
 * Does what is left of a swap or clearance that was committed; nothing when there is none. It may be stopped anywhere and begun again: first
 * everything old moves out, and only when that is durable and noted does the new move in, since the names are the same.
 * Throws `SYNOD_ERR_CORRUPT` when the note is damaged.
 */
export async function finishSwap(fileSystem: FileSystem, folder: string): Promise<void> {
  const note = join(folder, SWAP_FILE);
  const document = await readSealed(fileSystem, note);
  if (document === null) return;
  const { step, kept } = document;
  if (step === "clear") return clear(fileSystem, folder, note);
  if (typeof kept !== "string" || !KEPT_PATTERN.test(kept) || (step !== "out" && step !== "in")) throw corrupt(note, 0, "not the note of a recovery");
  if (step === "out") {
    await fileSystem.makeFolder(join(folder, kept));
    await moveAll(fileSystem, folder, join(folder, kept));
    await writeSealed(fileSystem, note, { step: "in", kept });
  }
  await moveAll(fileSystem, join(folder, SUCCESSOR_FOLDER), folder);
  await fileSystem.remove(note);
  await fileSystem.syncFolder(folder);
}

/** The note goes last, when everything else is durably gone. */
async function clear(fileSystem: FileSystem, folder: string, note: string): Promise<void> {
  for (const path of [join(folder, LOG_FOLDER), join(folder, SNAPSHOT_FOLDER)]) {
    await fileSystem.makeFolder(path);
    for (const file of await fileSystem.list(path)) await fileSystem.remove(join(path, file));
    await fileSystem.syncFolder(path);
  }
  for (const name of [FENCE_FILE, FOUNDING_FILE, IDENTITY_FILE]) await fileSystem.remove(join(folder, name));
  await fileSystem.syncFolder(folder);
  await fileSystem.remove(note);
  await fileSystem.syncFolder(folder);
}

async function moveAll(fileSystem: FileSystem, from: string, to: string): Promise<void> {
  const present = new Set(await fileSystem.list(from));
  for (const name of CONTENTS) if (present.has(name)) await fileSystem.rename(join(from, name), join(to, name));
  await fileSystem.syncFolder(to);
  await fileSystem.syncFolder(from);
}
