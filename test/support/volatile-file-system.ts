import { randomUUID } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { type DurableWriter, twoStepWriter } from "../../src/storage/durable-writer.ts";
import { NodeFileSystem } from "../../src/storage/file-system.ts";
import type { FileHandle, FileSystem } from "../../src/storage/interface.ts";

/** Files whose creation was not synced live under such names, which nobody lists. */
const STAGED_PREFIX = ".unsynced-";

/** A file of the real disk, with the bytes over it that were written and not synced. */
class VolatileFile {
  realPath: string;
  /** Unsynced writes, oldest first. */
  #writes: { readonly position: number; readonly bytes: Uint8Array }[] = [];
  #unsyncedSize = 0;

  constructor(realPath: string) {
    this.realPath = realPath;
  }

  write(bytes: Uint8Array, position: number): void {
    this.#writes.push({ position, bytes: bytes.slice() });
    this.#unsyncedSize = Math.max(this.#unsyncedSize, position + bytes.length);
  }

  async size(real: FileHandle): Promise<number> {
    return Math.max(await real.size(), this.#unsyncedSize);
  }

  async read(real: FileHandle, position: number, length: number): Promise<Uint8Array> {
    const end = Math.min(position + length, await this.size(real));
    const bytes = new Uint8Array(Math.max(0, end - position));
    bytes.set(await real.read(position, bytes.length));
    for (const write of this.#writes) {
      const from = Math.max(write.position, position);
      const to = Math.min(write.position + write.bytes.length, end);
      if (from < to) bytes.set(write.bytes.subarray(from - write.position, to - write.position), from - position);
    }
    return bytes;
  }

  async sync(real: FileHandle): Promise<void> {
    const writes = this.#writes.slice();
    for (const { bytes, position } of writes) await real.write(bytes, position);
    await real.datasync();
    this.#writes = this.#writes.slice(writes.length);
    if (this.#writes.length === 0) this.#unsyncedSize = 0;
  }
}

type Change =
  | { readonly kind: "place"; readonly name: string; readonly file: VolatileFile }
  | { readonly kind: "remove"; readonly name: string; readonly file: VolatileFile };

/** A folder as this process sees it: the real names, and over them the changes that were not synced. */
interface VolatileFolder {
  readonly names: Map<string, VolatileFile>;
  changes: Change[];
}

/**
 * A real folder of which only what was synced reaches the real disk: unsynced bytes, creations, renames and removals are
 * held in this process. So a SIGKILL loses what a power loss would, and a missing sync shows in tests with real processes.
 * `ignoreSync` names syncs that do nothing, to show just that.
 */
export class VolatileFileSystem implements FileSystem {
  readonly #real = new NodeFileSystem();
  readonly #folders = new Map<string, Promise<VolatileFolder>>();
  readonly #ignoreSync: (kind: "datasync" | "syncFolder", path: string) => boolean;

  constructor(ignoreSync: (kind: "datasync" | "syncFolder", path: string) => boolean = () => false) {
    this.#ignoreSync = ignoreSync;
  }

  makeFolder(path: string): Promise<void> {
    return this.#real.makeFolder(path);
  }

  async list(path: string): Promise<string[]> {
    return [...(await this.#folder(path)).names.keys()];
  }

  async readFile(path: string): Promise<Uint8Array | null> {
    if ((await this.#find(path)) === undefined) return null;
    const handle = await this.open(path, "read");
    try {
      return await handle.read(0, await handle.size());
    } finally {
      await handle.close();
    }
  }

  async open(path: string, mode: "create" | "read" | "write"): Promise<FileHandle> {
    const existing = await this.#find(path);
    if (mode !== "create") {
      if (existing === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
      return this.#handle(path, existing, await this.#real.open(existing.realPath, mode));
    }
    if (existing !== undefined) throw Object.assign(new Error(`EEXIST: ${path}`), { code: "EEXIST" });
    const file = new VolatileFile(join(dirname(path), STAGED_PREFIX + randomUUID()));
    const real = await this.#real.open(file.realPath, "create");
    await this.#change(path, { kind: "place", name: basename(path), file });
    return this.#handle(path, file, real);
  }

  async rename(from: string, to: string): Promise<void> {
    const file = await this.#find(from);
    if (file === undefined) throw Object.assign(new Error(`ENOENT: ${from}`), { code: "ENOENT" });
    const folder = await this.#folder(dirname(from));
    folder.names.delete(basename(from));
    folder.names.set(basename(to), file);
    folder.changes.push({ kind: "place", name: basename(to), file });
  }

  async remove(path: string): Promise<void> {
    const file = await this.#find(path);
    if (file !== undefined) await this.#change(path, { kind: "remove", name: basename(path), file });
  }

  async syncFolder(path: string): Promise<void> {
    if (this.#ignoreSync("syncFolder", path)) return;
    const folder = await this.#folder(path);
    const changes = folder.changes;
    folder.changes = [];
    for (const { kind, name, file } of changes) {
      if (kind === "remove") {
        await this.#real.remove(file.realPath);
      } else {
        await this.#real.rename(file.realPath, join(path, name));
        file.realPath = join(path, name);
      }
    }
    await this.#real.syncFolder(path);
  }

  durableWriter(): DurableWriter {
    return twoStepWriter;
  }

  lock(path: string): Promise<() => Promise<void>> {
    return this.#real.lock(path);
  }

  async #find(path: string): Promise<VolatileFile | undefined> {
    return (await this.#folder(dirname(path))).names.get(basename(path));
  }

  async #change(path: string, change: Change): Promise<void> {
    const folder = await this.#folder(dirname(path));
    if (change.kind === "place") folder.names.set(change.name, change.file);
    else folder.names.delete(change.name);
    folder.changes.push(change);
  }

  #folder(path: string): Promise<VolatileFolder> {
    let folder = this.#folders.get(path);
    if (folder === undefined) {
      folder = this.#load(path);
      this.#folders.set(path, folder);
    }
    return folder;
  }

  async #load(path: string): Promise<VolatileFolder> {
    const names = (await this.#real.list(path)).filter((name) => !name.startsWith(STAGED_PREFIX));
    return { names: new Map(names.map((name) => [name, new VolatileFile(join(path, name))])), changes: [] };
  }

  #handle(path: string, file: VolatileFile, real: FileHandle): FileHandle {
    return {
      write: async (bytes, position) => file.write(bytes, position),
      read: (position, length) => file.read(real, position, length),
      size: () => file.size(real),
      datasync: async () => {
        if (!this.#ignoreSync("datasync", path)) await file.sync(real);
      },
      close: () => real.close(),
    };
  }
}
