import { crc32 } from "node:zlib";
import { corrupt } from "./corrupt.ts";
import type { FileSystem } from "./interface.ts";
import { replaceFile } from "./replace-file.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Writes a small JSON document with a checksum over all of it, durably, before it resolves. */
export function writeSealed(fileSystem: FileSystem, path: string, document: Readonly<Record<string, unknown>>): Promise<void> {
  const sealed = { ...document, crc: crc32(JSON.stringify(document)) };
  const bytes = new TextEncoder().encode(`${JSON.stringify(sealed, null, 2)}\n`);
  return replaceFile(fileSystem, path, (file) => file.write(bytes, 0));
}

/** Reads what `writeSealed` wrote, without its checksum; null when there is no such file. Throws `SYNOD_ERR_CORRUPT`. */
export async function readSealed(fileSystem: FileSystem, path: string): Promise<Readonly<Record<string, unknown>> | null> {
  const bytes = await fileSystem.readFile(path);
  if (bytes === null) return null;
  const parsed = parseObject(path, bytes);
  const { crc, ...document } = parsed;
  if (crc !== crc32(JSON.stringify(document))) throw corrupt(path, 0, "the document does not match its checksum");
  return document;
}

function parseObject(path: string, bytes: Uint8Array): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(decoder.decode(bytes));
  } catch {
    throw corrupt(path, 0, "not a JSON document");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw corrupt(path, 0, "not a JSON object");
  return parsed as Record<string, unknown>;
}
