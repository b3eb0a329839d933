import { dirname } from "node:path";
import { TEMPORARY_SUFFIX } from "./folder-layout.ts";
import type { FileHandle, FileSystem } from "./interface.ts";

/**
 * Makes `path` hold what `fill` writes, or, whatever happens on the way, what it held before: written beside, synced,
 * renamed, folder synced. `check`, when given, sees the written file by its temporary path before the rename.
 */
export async function replaceFile(
  fileSystem: FileSystem,
  path: string,
  fill: (file: FileHandle) => Promise<void>,
  check?: (temporaryPath: string) => Promise<void>,
): Promise<void> {
  const temporary = path + TEMPORARY_SUFFIX;
  await fileSystem.remove(temporary);
  const file = await fileSystem.open(temporary, "create");
  try {
    try {
      await fill(file);
      await file.datasync();
    } finally {
      await file.close();
    }
    await check?.(temporary);
  } catch (error) {
    // On a full disk what was written of it is in the way.
    await fileSystem.remove(temporary).catch(() => {});
    throw error;
  }
  await fileSystem.rename(temporary, path);
  await fileSystem.syncFolder(dirname(path));
}
