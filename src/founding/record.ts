import { dirname } from "node:path";
import { SynodError } from "../errors/synod-error.ts";
import { type Configuration, MAX_MEMBERS, type MemberInfo } from "../paxos/configuration.ts";
import { isIncarnation, slot } from "../paxos/ids.ts";
import type { FileSystem, Founding } from "../storage/interface.ts";

/** The operations the founder needs of a disk. */
export type RecordFiles = Pick<FileSystem, "makeFolder" | "readFile" | "open" | "rename" | "remove" | "syncFolder">;

const FORMAT = 1;

/**
 * Keeps the one founding document, durable before this resolves: written beside, synced, renamed, and the folder synced
 * (rule 13). Only a document that survives any crash may be sent, or a second founder run would draw another one.
 */
export async function writeRecord(files: RecordFiles, path: string, founding: Founding): Promise<void> {
  const folder = dirname(path);
  const beside = `${path}.tmp`;
  await files.makeFolder(folder);
  if ((await files.readFile(beside)) !== null) await files.remove(beside);
  const handle = await files.open(beside, "create");
  try {
    await handle.write(new TextEncoder().encode(`${JSON.stringify({ format: FORMAT, ...founding }, null, 2)}\n`), 0);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await files.rename(beside, path);
  await files.syncFolder(folder);
}

/**
 * The founding document kept in `path`, or null when there is none. The folder is synced before it is returned: after a
 * crash between rename and sync the name may be in memory only. Throws `SYNOD_ERR_CORRUPT` for a file of another form,
 * which is never overwritten.
 */
export async function readRecord(files: RecordFiles, path: string): Promise<Founding | null> {
  const bytes = await files.readFile(path);
  if (bytes === null) return null;
  const founding = parseRecord(new TextDecoder().decode(bytes));
  if (founding === null) throw new SynodError("SYNOD_ERR_CORRUPT", `${path} is not a founding record.`);
  await files.syncFolder(dirname(path));
  return founding;
}

function parseRecord(text: string): Founding | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value) || value["format"] !== FORMAT) return null;
  const { cluster, configuration } = value;
  if (typeof cluster !== "string" || !isIncarnation(cluster) || !isConfiguration(configuration)) return null;
  return { cluster, configuration, configurationSlot: slot(0) };
}

function isConfiguration(value: unknown): value is Configuration {
  if (!isObject(value)) return false;
  const { voters, learners, removed } = value;
  if (!Array.isArray(voters) || !Array.isArray(learners) || !Array.isArray(removed) || removed.length > 0) return false;
  return voters.length >= 1 && voters.length <= MAX_MEMBERS && voters.every(isMember) && learners.every(isMember);
}

function isMember(value: unknown): value is MemberInfo {
  return isObject(value) && typeof value["name"] === "string" && typeof value["address"] === "string" &&
    typeof value["incarnation"] === "string" && isIncarnation(value["incarnation"]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
