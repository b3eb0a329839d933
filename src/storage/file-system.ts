import { close, fdatasync, fstat, open, read, write } from "node:fs";
import { mkdir, open as openFile, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { DiskThread } from "./disk-thread.ts";
import { type DurableWriter, twoStepWriter } from "./durable-writer.ts";
import { lockFolder } from "./folder-lock.ts";
import type { FileHandle, FileSystem } from "./interface.ts";

const OPEN_FLAGS = { create: "wx+", read: "r", write: "r+" } as const;

/** The real disk. */
export class NodeFileSystem implements FileSystem {
  async makeFolder(path: string): Promise<void> {
    try {
      await mkdir(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST" && (await stat(path)).isDirectory()) return;
      if (code !== "ENOENT" || dirname(path) === path) throw error;
      // Step by step: mkdir's own recursion never ends where a file system has the parent and refuses the child as missing.
      await this.makeFolder(dirname(path));
      await mkdir(path);
    }
    await this.syncFolder(dirname(path));
  }

  list(path: string): Promise<string[]> {
    return readdir(path);
  }

  async readFile(path: string): Promise<Uint8Array | null> {
    try {
      return await readFile(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return null;
      throw error;
    }
  }

  open(path: string, mode: "create" | "read" | "write"): Promise<FileHandle> {
    return new Promise((resolve, reject) => {
      open(path, OPEN_FLAGS[mode], 0o644, (error, fd) => (error === null ? resolve(new NodeFileHandle(fd)) : reject(error)));
    });
  }

  rename(from: string, to: string): Promise<void> {
    return rename(from, to);
  }

  remove(path: string): Promise<void> {
    return rm(path, { force: true });
  }

  async syncFolder(path: string): Promise<void> {
    const folder = await openFile(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  durableWriter(): DurableWriter {
    const thread = new DiskThread();
    return {
      write: (file, bytes, position, tell) => {
        if (file instanceof NodeFileHandle && bytes.length <= DiskThread.MAX_BYTES) thread.write(file.fd, bytes, position, tell);
        else twoStepWriter.write(file, bytes, position, tell);
      },
      close: () => thread.close(),
    };
  }

  async lock(path: string): Promise<() => Promise<void>> {
    const release = lockFolder(path);
    return async () => release();
  }
}

/** Uses the callback calls, which cost less per call than the promise ones. */
class NodeFileHandle implements FileHandle {
  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const written = await this.#writeSome(bytes, done, position + done);
      if (written === 0) throw new Error("the disk took no bytes");
      done += written;
    }
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const got = await this.#readSome(bytes, done, position + done);
      if (got === 0) break;
      done += got;
    }
    return bytes.subarray(0, done);
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fstat(this.fd, (error, stats) => (error === null ? resolve(stats.size) : reject(error)));
    });
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => fdatasync(this.fd, (error) => (error === null ? resolve() : reject(error))));
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => close(this.fd, (error) => (error ? reject(error) : resolve())));
  }

  #writeSome(bytes: Uint8Array, from: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, count: number): void => (error === null ? resolve(count) : reject(error));
      write(this.fd, bytes, from, bytes.length - from, position, done);
    });
  }

  #readSome(bytes: Uint8Array, from: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, count: number): void => (error === null ? resolve(count) : reject(error));
      read(this.fd, bytes, from, bytes.length - from, position, done);
    });
  }
}
