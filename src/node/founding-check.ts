import { SynodError } from "../errors/synod-error.ts";
import { allMembers } from "../paxos/configuration.ts";
import type { Founding, Identity } from "../storage/interface.ts";

/**
 * Throws `SYNOD_ERR_WRONG_INCARNATION` unless the document names the member with this folder, by its incarnation: a name may be that
 * of a member that lost its disk, which is another one now (rule 13).
 */
export function checkNamed(founding: Founding, identity: Identity): void {
  const named = allMembers(founding.configuration).some(({ incarnation }) => incarnation === identity.incarnation);
  if (!named) throw new SynodError("SYNOD_ERR_WRONG_INCARNATION", "The founding document does not name this member's incarnation.");
}
