import { assertConfiguration, type Configuration, isVoter, MAX_MEMBERS, MAX_REMOVED, type MemberInfo } from "./configuration.ts";
import type { Incarnation } from "./ids.ts";

/** One step from a configuration to the next. */
export type ConfigurationChange =
  /** A new member that only learns. */
  | { readonly type: "addLearner"; readonly member: MemberInfo }
  /** A learner becomes a voter; with `replaces`, in one step in place of that voter, so that the quorum stays what it was. */
  | { readonly type: "promote"; readonly incarnation: Incarnation; readonly replaces: Incarnation | null }
  /** A voter or learner leaves. */
  | { readonly type: "remove"; readonly incarnation: Incarnation };

/** Why a configuration cannot change so, whatever the state of its members is. */
export type ChangeRefusal = "unknownMember" | "removedMember" | "nameTaken" | "tooManyMembers" | "lastVoter";

export type ChangedConfiguration =
  | { readonly configuration: Configuration }
  /** It is so already: a repeated request. */
  | { readonly unchanged: true }
  | { readonly refusal: ChangeRefusal };

/** The configuration after `change`. A pure function of both, so that everybody can tell what a change would do. */
export function changeConfiguration(configuration: Configuration, change: ConfigurationChange): ChangedConfiguration {
  const changed = change.type === "addLearner" ? add(configuration, change.member)
    : change.type === "promote" ? promote(configuration, change.incarnation, change.replaces)
    : remove(configuration, change.incarnation);
  if ("configuration" in changed) assertConfiguration(changed.configuration);
  return changed;
}

function add(configuration: Configuration, member: MemberInfo): ChangedConfiguration {
  const { voters, learners, removed } = configuration;
  const { incarnation, name } = member;
  if (removed.includes(incarnation)) return { refusal: "removedMember" };
  if ([...voters, ...learners].some((known) => known.incarnation === incarnation)) return { unchanged: true };
  // A voter's name may be taken again by the learner that is to replace it; two learners of one name have no purpose.
  if (learners.some((known) => known.name === name)) return { refusal: "nameTaken" };
  if (learners.length >= MAX_MEMBERS) return { refusal: "tooManyMembers" };
  return { configuration: { voters, learners: [...learners, member], removed } };
}

function promote(configuration: Configuration, incarnation: Incarnation, replaces: Incarnation | null): ChangedConfiguration {
  const { voters, learners, removed } = configuration;
  if (removed.includes(incarnation)) return { refusal: "removedMember" };
  const replacedStays = replaces !== null && isVoter(configuration, replaces);
  if (isVoter(configuration, incarnation) && !replacedStays) return { unchanged: true };
  const member = learners.find((known) => known.incarnation === incarnation);
  if (member === undefined || (replaces !== null && !replacedStays)) return { refusal: "unknownMember" };
  const staying = voters.filter((voter) => voter.incarnation !== replaces);
  if (staying.some((voter) => voter.name === member.name)) return { refusal: "nameTaken" };
  if (staying.length >= MAX_MEMBERS) return { refusal: "tooManyMembers" };
  const others = learners.filter((learner) => learner !== member);
  return { configuration: { voters: [...staying, member], learners: others, removed: leave(removed, replaces) } };
}

function remove({ voters, learners, removed }: Configuration, incarnation: Incarnation): ChangedConfiguration {
  if (removed.includes(incarnation)) return { unchanged: true };
  const staying = (members: readonly MemberInfo[]) => members.filter((member) => member.incarnation !== incarnation);
  const next = { voters: staying(voters), learners: staying(learners), removed: leave(removed, incarnation) };
  if (next.voters.length === voters.length && next.learners.length === learners.length) return { refusal: "unknownMember" };
  if (next.voters.length === 0) return { refusal: "lastVoter" };
  return { configuration: next };
}

function leave(removed: readonly Incarnation[], incarnation: Incarnation | null): readonly Incarnation[] {
  return incarnation === null ? removed : [...removed, incarnation].slice(-MAX_REMOVED);
}
