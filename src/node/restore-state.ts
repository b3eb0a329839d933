import { DecodeError } from "../codec/byte-reader.ts";
import { DEFAULT_STATE_LIMITS, type StateLimits } from "../state/limits.ts";
import { StateRestorer } from "../state/restorer.ts";
import { StateMachine } from "../state/state-machine.ts";
import { decodeOrCorrupt } from "../storage/corrupt.ts";
import type { SnapshotReader, Storage } from "../storage/interface.ts";

const READ_BYTES = 1024 * 1024;

/** The state of the newest snapshot on disk, or an empty one; `limits` must be those of all members. Throws `SYNOD_ERR_CORRUPT` when the snapshot's bytes are wrong. */
export async function restoreState(storage: Storage, limits: StateLimits = DEFAULT_STATE_LIMITS): Promise<StateMachine> {
  const reader = await storage.openSnapshot();
  if (reader === null) return new StateMachine(limits);
  try {
    return await restore(reader, limits);
  } finally {
    await reader.close();
  }
}

async function restore(reader: SnapshotReader, limits: StateLimits): Promise<StateMachine> {
  const name = `the snapshot of slot ${reader.handle.slot}`;
  const restorer = new StateRestorer(limits);
  for (let offset = 0; offset < reader.size; ) {
    const bytes = await reader.read(offset, READ_BYTES);
    decodeOrCorrupt(name, offset, () => restorer.push(bytes));
    offset += bytes.length;
  }
  return decodeOrCorrupt(name, reader.size, () => {
    const state = restorer.finish();
    if (state.checksum !== reader.handle.checksum) throw new DecodeError("its state does not have the checksum that its header names");
    return state;
  });
}
