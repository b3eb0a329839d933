import { ByteReader } from "../../../src/codec/byte-reader.ts";
import { ByteWriter } from "../../../src/codec/byte-writer.ts";
import { type Ballot, compareBallots } from "../../../src/paxos/ballot.ts";
import { readBallot, writeBallot } from "../../../src/paxos/encoding.ts";
import { ballotName } from "../../../src/scenario/names.ts";
import { Violation } from "../../../src/scenario/violation.ts";
import { decodeCommand, encodeCommand } from "../../../src/state/commands.ts";
import { keyFromText, keyToText } from "../../../src/state/key.ts";
import { refused } from "../../../src/state/results.ts";

/**
 * A command that depends on leadership, as the revoking of a lease would: whoever leads issues one now and then and names the ballot under
 * which it does. No release has such a command yet; `led-patches.ts` puts this one into members that clients write to as usual (rule 10).
 */
const KEY = "\0led";

export const OUTDATED = refused("SYNOD_ERR_PRECONDITION");

export function ledCommand(ballot: Ballot): Uint8Array {
  const value = writeBallot(new ByteWriter(32), ballot).take();
  return encodeCommand({ type: "put", key: keyFromText(KEY), value, prevRevision: null, retry: { kind: "none" } });
}

/** The ballot under which the command was issued; null: it is one of a client. */
export function issuedUnder(bytes: Uint8Array): Ballot | null {
  const command = decodeCommand(bytes);
  return command.type === "put" && keyToText(command.key) === KEY ? readBallot(new ByteReader(command.value)) : null;
}

/** Whether the command is one that was issued below `ballot`. */
export function isOutdated(bytes: Uint8Array, ballot: Ballot): boolean {
  const issued = issuedUnder(bytes);
  return issued !== null && compareBallots(issued, ballot) < 0;
}

/** A command of a leader took effect though a later one had begun. */
export class StaleLeader extends Violation {
  override name = "StaleLeader";
}

/** Notes in which ballots leaders had begun when a command took effect: throws when its own was over. */
export function tookEffect(bytes: Uint8Array, leaderBallot: Ballot): void {
  const issued = issuedUnder(bytes);
  if (issued === null || compareBallots(issued, leaderBallot) >= 0) return;
  throw new StaleLeader(`a command issued at ${ballotName(issued)} took effect behind the barrier of ${ballotName(leaderBallot)}`);
}
