import type { SnapshotHandle } from "../paxos/records.ts";
import { join, SNAPSHOT_FOLDER, snapshotName, snapshotSlots } from "./folder-layout.ts";
import type { FileSystem, SnapshotReader } from "./interface.ts";
import { replaceFile } from "./replace-file.ts";
import { SnapshotFile, writeSnapshotFile } from "./snapshot-file.ts";

/** The snapshots of a data folder: the newest, and for a moment those it replaces. */
export class SnapshotStore {
  readonly #fileSystem: FileSystem;
  readonly #folder: string;
  #newest: SnapshotFile | null;

  private constructor(fileSystem: FileSystem, folder: string, newest: SnapshotFile | null) {
    this.#fileSystem = fileSystem;
    this.#folder = folder;
    this.#newest = newest;
  }

  /**
   * Opens and checks the newest snapshot. When that one is damaged an older one would not do: the log may have been cut
   * up to the newest. Throws `SYNOD_ERR_CORRUPT` then.
   */
  static async open(fileSystem: FileSystem, dataFolder: string): Promise<SnapshotStore> {
    const folder = join(dataFolder, SNAPSHOT_FOLDER);
    const slot = snapshotSlots(await fileSystem.list(folder)).at(-1);
    if (slot === undefined) return new SnapshotStore(fileSystem, folder, null);
    return new SnapshotStore(fileSystem, folder, await SnapshotFile.open(fileSystem, join(folder, snapshotName(slot)), slot));
  }

  get newest(): SnapshotHandle | null {
    return this.#newest?.handle ?? null;
  }

  /** Bytes of state in the newest snapshot; 0: there is none. */
  get newestBytes(): number {
    return this.#newest?.size ?? 0;
  }

  /** Makes a new snapshot durable and reads it back before it takes the place of the last one. Nothing is removed yet. */
  async write(handle: SnapshotHandle, state: AsyncIterable<Uint8Array>): Promise<void> {
    const path = join(this.#folder, snapshotName(handle.slot));
    let checked: SnapshotFile | null = null;
    try {
      await replaceFile(
        this.#fileSystem,
        path,
        async (file) => void (await writeSnapshotFile(file, handle, state)),
        async (temporary) => {
          checked = await SnapshotFile.open(this.#fileSystem, temporary, handle.slot);
        },
      );
    } catch (error) {
      await (checked as SnapshotFile | null)?.release();
      throw error;
    }
    await this.#newest?.release();
    this.#newest = checked;
  }

  /** Removes every snapshot but the newest, which must be durable. */
  async removeOlder(): Promise<void> {
    const older = snapshotSlots(await this.#fileSystem.list(this.#folder)).filter((slot) => slot < (this.#newest?.handle.slot ?? 0));
    for (const slot of older) await this.#fileSystem.remove(join(this.#folder, snapshotName(slot)));
    if (older.length > 0) await this.#fileSystem.syncFolder(this.#folder);
  }

  /** The newest snapshot; it stays readable while newer ones take its place. */
  reader(): SnapshotReader | null {
    return this.#newest?.reader() ?? null;
  }

  async close(): Promise<void> {
    const newest = this.#newest;
    this.#newest = null;
    await newest?.release();
  }
}
