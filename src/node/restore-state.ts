import { assert } from "../codec/assert.ts";
import { StateRestorer } from "../state/restorer.ts";
import { StateMachine } from "../state/state-machine.ts";
import type { Storage } from "../storage/interface.ts";

const READ_BYTES = 1024 * 1024;

/** The state of the newest snapshot on disk, or an empty one. Throws `SYNOD_ERR_CORRUPT` when the snapshot's bytes are wrong. */
export async function restoreState(storage: Storage): Promise<StateMachine> {
  const reader = await storage.openSnapshot();
  if (reader === null) return new StateMachine();
  try {
    const restorer = new StateRestorer();
    for (let offset = 0; offset < reader.size; ) {
      const bytes = await reader.read(offset, READ_BYTES);
      restorer.push(bytes);
      offset += bytes.length;
    }
    const state = restorer.finish();
    assert(state.checksum === reader.handle.checksum, "a snapshot restores to the checksum in its handle");
    return state;
  } finally {
    await reader.close();
  }
}
