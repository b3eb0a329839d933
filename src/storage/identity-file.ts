import { randomBytes } from "node:crypto";
import { SynodError } from "../errors/synod-error.ts";
import { type Incarnation, incarnation, isIncarnation, NO_INCARNATION } from "../paxos/ids.ts";
import { corrupt } from "./corrupt.ts";
import { IDENTITY_FILE, join } from "./folder-layout.ts";
import type { FileSystem, Identity } from "./interface.ts";
import { readSealed, writeSealed } from "./sealed-document.ts";

/** Raised when the files of a data folder change their form. */
const FORMAT_VERSION = 1;

/** 128 random bits: no two folders share an incarnation. */
export function drawIncarnation(): Incarnation {
  return incarnation(randomBytes(16).toString("hex"));
}

/**
 * Who the folder belongs to. An empty folder gets a fresh incarnation (`draw`, null where the folder is not empty), durable before this resolves.
 * Throws `SYNOD_ERR_CORRUPT` when the file is damaged, or missing from a folder that holds anything else: whoever lost it
 * is a new member, and may not vote with what the old one kept (rule 13).
 */
export async function loadIdentity(fileSystem: FileSystem, folder: string, member: string, draw: (() => Incarnation) | null): Promise<Identity> {
  const path = join(folder, IDENTITY_FILE);
  const found = await readIdentity(fileSystem, folder);
  if (found === null) {
    if (draw === null) throw corrupt(path, 0, "missing from a folder that is in use");
    const identity = { member, incarnation: draw() };
    await writeSealed(fileSystem, path, { format: FORMAT_VERSION, ...identity });
    return identity;
  }
  if (found.member !== member) {
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", `the folder ${folder} belongs to member ${found.member}, not ${member}`);
  }
  return found;
}

/** Null when the folder has no identity. Throws `SYNOD_ERR_CORRUPT`, and `SYNOD_ERR_VERSION` for a folder of another version. */
export async function readIdentity(fileSystem: FileSystem, folder: string): Promise<Identity | null> {
  const path = join(folder, IDENTITY_FILE);
  const document = await readSealed(fileSystem, path);
  if (document === null) return null;
  const { format, member, incarnation: id } = document;
  if (format !== FORMAT_VERSION) throw new SynodError("SYNOD_ERR_VERSION", `${path} is of format ${String(format)}, not ${FORMAT_VERSION}`);
  if (typeof member !== "string") throw corrupt(path, 0, "no member name");
  if (typeof id !== "string" || !isIncarnation(id) || id === NO_INCARNATION) throw corrupt(path, 0, "no incarnation");
  return { member, incarnation: id };
}
