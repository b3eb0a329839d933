import { SynodError } from "../errors/synod-error.ts";
import { DEFAULT_TIMINGS, type Timings } from "../paxos/interface.ts";

const MAX_ELECTION_TIMEOUT_MS = 60_000;
/** So many heartbeats fit an election timeout at least: one that is lost or late must not cost a leader its place. */
const MIN_RATIO = 3;

/**
 * The timings with what is not given filled in. Throws `SYNOD_ERR_BAD_REQUEST` for values with which no cluster would work: heartbeats
 * that are rarer than a third of the election timeout, or more frequent than time is looked at.
 */
export function checkTimings(given: Partial<Timings>): Timings {
  const timings = { ...DEFAULT_TIMINGS, ...given };
  const { heartbeatMs, electionTimeoutMs, tickMs } = timings;
  if (![heartbeatMs, electionTimeoutMs].every(Number.isSafeInteger)) throw refusal("The heartbeat and the election timeout are whole numbers of milliseconds.");
  if (heartbeatMs < tickMs) throw refusal(`A heartbeat every ${heartbeatMs} ms is too often: at least ${tickMs} ms must lie between two.`);
  if (electionTimeoutMs > MAX_ELECTION_TIMEOUT_MS) throw refusal(`An election timeout of ${electionTimeoutMs} ms is too long: at most ${MAX_ELECTION_TIMEOUT_MS} ms.`);
  if (electionTimeoutMs >= MIN_RATIO * heartbeatMs) return timings;
  throw refusal(`An election timeout of ${electionTimeoutMs} ms is too short for a heartbeat every ${heartbeatMs} ms: it must be at least ${MIN_RATIO} times as long.`);
}

function refusal(message: string): SynodError {
  return new SynodError("SYNOD_ERR_BAD_REQUEST", message);
}
