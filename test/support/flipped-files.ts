import { dirname } from "node:path";
import { twoStepWriter } from "../../src/storage/durable-writer.ts";
import type { FileHandle, FileSystem } from "../../src/storage/interface.ts";

/**
 * Files in memory that can be opened again and again: what is written lies over them and is forgotten by `reset`. Nothing is
 * copied to read a file, so that a byte flipped in place costs no more than the opening that meets it.
 */
export class FlippedFiles {
  readonly #base: ReadonlyMap<string, Uint8Array>;
  /** Null: removed. */
  readonly #over = new Map<string, Uint8Array | null>();

  constructor(base: ReadonlyMap<string, Uint8Array>) {
    this.#base = base;
  }

  reset(): void {
    this.#over.clear();
  }

  /** The files as they are now, over what they were. */
  contents(path: string): Uint8Array | null {
    const over = this.#over.get(path);
    return over === undefined ? (this.#base.get(path) ?? null) : over;
  }

  fileSystem(): FileSystem {
    return {
      makeFolder: async () => {},
      list: async (folder) => this.#names(folder),
      readFile: async (path) => this.contents(path),
      open: async (path, mode) => this.#open(path, mode),
      rename: async (from, to) => this.#rename(from, to),
      remove: async (path) => void this.#over.set(path, null),
      syncFolder: async () => {},
      durableWriter: () => twoStepWriter,
      lock: async () => async () => {},
    };
  }

  #names(folder: string): string[] {
    const paths = new Set([...this.#base.keys(), ...this.#over.keys()]);
    return [...paths].filter((path) => dirname(path) === folder && this.contents(path) !== null).map((path) => path.slice(folder.length + 1));
  }

  #rename(from: string, to: string): void {
    this.#over.set(to, this.contents(from));
    this.#over.set(from, null);
  }

  #open(path: string, mode: "create" | "read" | "write"): FileHandle {
    if ((this.contents(path) === null) !== (mode === "create")) throw new Error(`cannot ${mode} ${path}`);
    if (mode === "create") this.#over.set(path, new Uint8Array(0));
    const bytes = (): Uint8Array => this.contents(path) ?? new Uint8Array(0);
    return {
      write: async (piece, position) => {
        const longer = new Uint8Array(Math.max(bytes().length, position + piece.length));
        longer.set(bytes());
        longer.set(piece, position);
        this.#over.set(path, longer);
      },
      read: async (position, length) => bytes().subarray(position, position + length),
      size: async () => bytes().length,
      datasync: async () => {},
      close: async () => {},
    };
  }
}
