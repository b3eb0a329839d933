import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SynodError } from "../errors/synod-error.ts";
import { type Key, parseKey } from "./key.ts";
import { KeyRing } from "./key-ring.ts";

/** The key in use, and while keys are exchanged the one before it. */
const CURRENT = "current";
const PREVIOUS = "previous";

/**
 * The keys in a folder, as a mounted Secret shows them: `current`, and `previous` if it is there. Throws `SYNOD_ERR_BAD_REQUEST`
 * when there is no current key, or a file is not a key.
 */
export async function readKeyFolder(folder: string): Promise<readonly Key[]> {
  const current = await readKey(join(folder, CURRENT));
  if (current === null) throw new SynodError("SYNOD_ERR_BAD_REQUEST", `${folder} has no file "${CURRENT}" with a key.`);
  const previous = await readKey(join(folder, PREVIOUS));
  return previous === null ? [current] : [current, previous];
}

/** The keys of a call: of a folder, or of a single file, or none. */
export async function readCallKeys({ keyFolder, keyFile }: { readonly keyFolder?: string; readonly keyFile?: string }): Promise<KeyRing | null> {
  if (keyFolder !== undefined && keyFile !== undefined) {
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", "Give a key folder or a key file, not both.");
  }
  if (keyFolder !== undefined) return new KeyRing(await readKeyFolder(keyFolder));
  if (keyFile === undefined) return null;
  const key = await readKey(keyFile);
  if (key === null) throw new SynodError("SYNOD_ERR_BAD_REQUEST", `There is no key file ${keyFile}.`);
  return new KeyRing([key]);
}

async function readKey(path: string): Promise<Key | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", `The key cannot be read: ${message}`);
  }
  return parseKey(text, path);
}

export interface KeyWatchPort {
  read(): Promise<readonly Key[]>;
  /** Runs `task` every `periodMs` until the returned function is called. */
  every(periodMs: number, task: () => void): () => void;
  changed(fingerprints: readonly string[]): void;
  /** Said once for each run of failures: the keys that were read before go on. */
  failed(error: unknown): void;
}

const READ_EVERY_MS = 1_000;

/** Keeps a ring as new as its folder: reads it every second, one reading at a time. Returns what ends that. */
export function watchKeys(ring: KeyRing, port: KeyWatchPort): () => void {
  let reading = false;
  let failing = false;
  const look = async (): Promise<void> => {
    if (reading) return;
    reading = true;
    try {
      if (ring.update(await port.read())) port.changed(ring.fingerprints);
      failing = false;
    } catch (error) {
      if (!failing) port.failed(error);
      failing = true;
    } finally {
      reading = false;
    }
  };
  return port.every(READ_EVERY_MS, () => void look());
}
