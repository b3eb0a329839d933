import { NO_INCARNATION } from "../paxos/ids.ts";
import type { Fence } from "./fence-file.ts";
import { fenceError } from "./fence-file.ts";
import { join, LOCK_FILE } from "./folder-layout.ts";
import { loadFounding } from "./founding-file.ts";
import { readIdentity } from "./identity-file.ts";
import type { FileSystem, MemberFolder } from "./interface.ts";

/**
 * Holds the folder of a member that is fenced, so that no other process uses it, and tells of it what can still be read:
 * nothing of its log and state. Throws `SYNOD_ERR_FOLDER_LOCKED`.
 */
export async function holdFencedFolder(fileSystem: FileSystem, folder: string, member: string, fence: Fence): Promise<MemberFolder> {
  const unlock = await fileSystem.lock(join(folder, LOCK_FILE));
  const identity = await readIdentity(fileSystem, folder).catch(() => null);
  return {
    identity: identity ?? { member, incarnation: NO_INCARNATION },
    founding: await loadFounding(fileSystem, folder).catch(() => null),
    saveFounding: () => Promise.reject(fenceError(fence)),
    stats: () => ({
      logBytes: 0, segments: 0, records: 0, bytesSinceSnapshot: 0, snapshotBytes: 0, syncs: 0, waitingBytes: 0, full: false, scarce: false,
    }),
    close: unlock,
  };
}
