import type { KeyRing } from "../auth/key-ring.ts";
import { asSentence } from "../errors/sentence.ts";
import { SynodError } from "../errors/synod-error.ts";
import type { Incarnation } from "../paxos/ids.ts";
import type { Founding } from "../storage/interface.ts";
import { askIdentity, type Fetch, type FoundingIdentity, sendFounding } from "./member-call.ts";

/** How long one call may take, and how often the document is sent before the newcomer is given up. */
const CALL_MS = 3_000;
const ATTEMPTS = 3;

/**
 * Asks the process at `url` who it is, before it is added to `cluster`. Throws `SYNOD_ERR_UNREACHABLE` when it does not answer,
 * `SYNOD_ERR_ALREADY_FOUNDED` when it belongs to another cluster, `SYNOD_ERR_WRONG_INCARNATION` when it is not the one that is expected.
 */
export async function askNewcomer(fetch: Fetch, url: string, cluster: string, expected: Incarnation | null): Promise<FoundingIdentity> {
  const identity = await askIdentity(fetch, url, CALL_MS);
  if (identity === null) throw new SynodError("SYNOD_ERR_UNREACHABLE", `${url} does not answer. Start the new member first.`);
  if (identity.cluster !== null && identity.cluster !== cluster) {
    throw new SynodError("SYNOD_ERR_ALREADY_FOUNDED", `${identity.member} at ${url} belongs to cluster ${identity.cluster} already.`);
  }
  if (expected !== null && identity.incarnation !== expected) {
    throw new SynodError("SYNOD_ERR_WRONG_INCARNATION", `${url} is ${identity.incarnation}, not ${expected}.`);
  }
  return identity;
}

/**
 * Gives an added newcomer the document that makes it a member; that it has it already is as good. It may name the newcomer only
 * once the configuration with it is chosen. Throws `SYNOD_ERR_CHANGE_UNKNOWN` when it did not take it: the same call may be made again.
 */
export async function admit(fetch: Fetch, url: string, newcomer: Incarnation, founding: Founding, keys: KeyRing | null): Promise<void> {
  let why: SynodError | null = null;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const identity = await askIdentity(fetch, url, CALL_MS);
    if (identity?.cluster === founding.cluster && identity.incarnation === newcomer) return;
    if (identity === null) continue;
    const answer = await sendFounding(fetch, url, newcomer, founding, CALL_MS, keys);
    if (answer.taken) return;
    why = answer.why ?? why;
  }
  const what = why === null ? `${url} does not answer, and may not know it` : `does not know it yet: ${why.code}: ${asSentence(why.message)}`;
  throw new SynodError("SYNOD_ERR_CHANGE_UNKNOWN", `The member was added, but ${asSentence(what)} Ask again: it is not added twice.`);
}
