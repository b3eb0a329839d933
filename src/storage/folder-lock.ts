import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { SynodError } from "../errors/synod-error.ts";

const SQLITE_BUSY = 5;

/**
 * Holds `path` as an SQLite database in an exclusive transaction. Node offers no file lock; SQLite takes an fcntl lock,
 * which the kernel drops when the process ends, however it ends. Returns what releases it.
 * Throws `SYNOD_ERR_FOLDER_LOCKED` at once when somebody else holds it.
 */
export function lockFolder(path: string): () => void {
  const database = openDatabase(path);
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) {
      throw new SynodError("SYNOD_ERR_FOLDER_LOCKED", `another process uses the folder ${dirname(path)}`, { path });
    }
    throw error;
  }
  return () => database.close();
}

/** Node 24 warns that SQLite is experimental when the module is first loaded; that line would only puzzle a user. */
function openDatabase(path: string): DatabaseSync {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => {};
  try {
    const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
    return new DatabaseSync(path, { timeout: 0 });
  } finally {
    process.emitWarning = emitWarning;
  }
}
