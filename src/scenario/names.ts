import { assert } from "../codec/assert.ts";
import { crc32 } from "../codec/crc32.ts";
import { type Ballot, ballotsEqual, ZERO_BALLOT } from "../paxos/ballot.ts";
import type { Configuration, MemberInfo } from "../paxos/configuration.ts";
import { type Incarnation, incarnation } from "../paxos/ids.ts";
import type { ValueBytes } from "../paxos/messages.ts";
import { decodeValue } from "../paxos/value.ts";

/** The most members a scenario can have: each is one digit. */
export const MAX_SCENARIO_MEMBERS = 9;

/** Checkers ask for them with every record. */
const INCARNATIONS = Array.from({ length: MAX_SCENARIO_MEMBERS }, (_, index) => incarnation(String(index + 1).repeat(32)));
const DIGIT_ZERO = 48;
const LONGEST_NAME = 60;
/** What is neither a letter nor a sign, and quotation marks, in which the rest is put. */
const UNREADABLE = /[^ !#-~]+/g;
const decoder = new TextDecoder();

/** In scenarios a member is a digit from 1 to 9 and its incarnation is that digit 32 times. */
export function memberIncarnation(member: number): Incarnation {
  const known = INCARNATIONS[member - 1];
  assert(known !== undefined, () => `not a member of a scenario: ${member}`);
  return known;
}

/** The digit of a member; the opposite of `memberIncarnation`. */
export function memberNumber(of: Incarnation): number {
  return of.charCodeAt(0) - DIGIT_ZERO;
}

/** A ballot as one number: its round and its member, for tables of ballots. */
export function ballotNumber({ round, incarnation }: Ballot): number {
  return round * 10 + memberNumber(incarnation);
}

/** A ballot as scenarios write it: its round, a dot, its member. */
export function ballotName(ballot: Ballot): string {
  return ballotsEqual(ballot, ZERO_BALLOT) ? "0" : `${ballot.round}.${memberNumber(ballot.incarnation)}`;
}

/** The configuration of members 1 to `size`, all of which vote. */
export function scenarioConfiguration(size: number): Configuration {
  return { voters: Array.from({ length: size }, (_, index) => memberInfo(index + 1)), learners: [], removed: [] };
}

/** A member as a configuration of a scenario knows it. */
export function memberInfo(member: number): MemberInfo {
  return { incarnation: memberIncarnation(member), name: String(member), address: `${member}:1` };
}

/** The commands of a slot's value as texts; none for a value that carries no commands. */
export function commandTexts(value: ValueBytes): string[] {
  const decoded = decodeValue(value);
  return decoded.kind === "commands" ? decoded.commands.map((command) => decoder.decode(command)) : [];
}

/** A slot's value as scenarios write it. */
export function valueName(value: ValueBytes): string {
  const decoded = decodeValue(value);
  switch (decoded.kind) {
    case "noop":
      return "no-op";
    case "barrier":
      return `barrier(${ballotName(decoded.ballot)})`;
    case "commands":
      return commandTexts(value).join("+");
    case "configuration":
      return configurationName(decoded.configuration);
  }
}

/** A slot's value where it is told what went wrong with it: by its name if that can be read, else by a digest and how it begins. */
export function valueDigest(value: ValueBytes): string {
  const name = valueName(value);
  if (name.length <= LONGEST_NAME && name.search(UNREADABLE) === -1) return name;
  const beginning = name.slice(0, LONGEST_NAME).replace(UNREADABLE, "·");
  return `batch ${crc32(value).toString(16).padStart(8, "0")} of ${value.length} bytes ("${beginning}")`;
}

/** A configuration as scenarios write it: its voters, then its learners. */
export function configurationName({ voters, learners }: Configuration): string {
  const names = (members: Configuration["voters"]) => members.map((member) => member.name).join(",");
  return `members(${names(voters)}${learners.length === 0 ? "" : `; learning ${names(learners)}`})`;
}
