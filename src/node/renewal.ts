import type { Members } from "../api/service.ts";
import { SynodError } from "../errors/synod-error.ts";
import type { Configuration, MemberInfo } from "../paxos/configuration.ts";
import type { Incarnation, Slot } from "../paxos/ids.ts";
import type { Fence } from "../storage/fence-file.ts";

export interface RenewalPort {
  readonly self: Incarnation;
  readonly fence: Fence | null;
  /** It has taken a founding document. */
  readonly founded: boolean;
  /** The configuration without this member, when it was removed; null while it is a member as far as it knows. */
  readonly left: { readonly configuration: Configuration; readonly configurationSlot: Slot } | null;
  /** What the member at hand says of the members; null when it does not answer. */
  askMembers(member: MemberInfo): Promise<Members | null>;
}

/**
 * Throws the coded error that says why what this member keeps may not be thrown away: `SYNOD_ERR_WRONG_INCARNATION` when another
 * one is meant, `SYNOD_ERR_MEMBER_NEEDED` while it can vote, and `SYNOD_ERR_CHANGE_PENDING` while nobody says that the change that
 * removed it is done: until then it may hold the only copy of what was chosen (rules 16a and 18).
 */
export async function checkRenewal(named: Incarnation, { self, fence, founded, left, askMembers }: RenewalPort): Promise<void> {
  if (named !== self) throw new SynodError("SYNOD_ERR_WRONG_INCARNATION", `This member is ${self}, not ${named}.`);
  if (fence !== null && fence.kind !== "disk") return;
  // It has promised and accepted nothing yet. Its adding may have been undone before it was told: then nobody would ever found it.
  if (!founded && fence === null) return;
  if (left === null) throw new SynodError("SYNOD_ERR_MEMBER_NEEDED");
  const answers = await Promise.all(left.configuration.voters.map((voter) => askMembers(voter)));
  if (!answers.some((answer) => answer !== null && saysDone(answer, self, left.configurationSlot))) {
    throw new SynodError("SYNOD_ERR_CHANGE_PENDING", "No member says that the change which removed this one is done. Ask again when it is.");
  }
}

/** Only a member that found a leader to ask knows whether a change is done. */
function saysDone({ configuration, pending, members }: Members, self: Incarnation, leftAt: Slot): boolean {
  return pending === false && configuration >= leftAt && members.every(({ id }) => id !== self);
}
