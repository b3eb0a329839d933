import { isIncarnation, type Incarnation, slot, type Slot } from "../paxos/ids.ts";
import { MAX_MEMBERS, MAX_REMOVED, type MemberInfo } from "../paxos/configuration.ts";
import type { Founding } from "../storage/interface.ts";
import { badRequest, MAX_ADDRESS_LENGTH } from "./request-fields.ts";

const CLUSTER_PATTERN = /^[0-9a-f]{32}$/;
const NAME_PATTERN = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;

/** Reads the body of `POST /v1/founding`: `{incarnation, founding}`. Throws a `SYNOD_ERR_BAD_REQUEST` that says what is wrong. */
export function readFoundingBody(body: unknown): { founding: Founding; incarnation: Incarnation } {
  const { incarnation, founding } = fields(body, "the body");
  const { cluster, configuration, configurationSlot } = fields(founding, "founding");
  if (typeof cluster !== "string" || !CLUSTER_PATTERN.test(cluster)) {
    throw badRequest("founding.cluster must be 32 lowercase hex digits.");
  }
  const { voters, learners, removed } = fields(configuration, "founding.configuration");
  const read = { voters: readMembers(voters, "voters"), learners: readMembers(learners, "learners"), removed: readRemoved(removed) };
  checkSizes(read);
  return {
    founding: { cluster, configuration: read, configurationSlot: readSlot(configurationSlot) },
    incarnation: readIncarnation(incarnation, "incarnation"),
  };
}

/** Reads the body of `POST /v1/renew`: `{incarnation}`. */
export function readRenewalBody(body: unknown): Incarnation {
  return readIncarnation(fields(body, "the body").incarnation, "incarnation");
}

/** A learner may have the name of the voter that it is to replace. */
function checkSizes({ voters, learners, removed }: Founding["configuration"]): void {
  if (voters.length < 1) throw badRequest("founding.configuration needs a voter.");
  const incarnations = [...voters, ...learners].map((member) => member.incarnation);
  if (new Set([...incarnations, ...removed]).size !== incarnations.length + removed.length) {
    throw badRequest("Two members have the same incarnation.");
  }
  if (new Set(voters.map((voter) => voter.name)).size !== voters.length) throw badRequest("Two members have the same name.");
}

function readRemoved(value: unknown): readonly Incarnation[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > MAX_REMOVED) throw badRequest(`removed must be a list of at most ${MAX_REMOVED} incarnations.`);
  return value.map((item: unknown, index) => readIncarnation(item, `removed[${index}]`));
}

/** Absent in the document of a founder. */
function readSlot(value: unknown): Slot {
  if (value === undefined) return slot(0);
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw badRequest("founding.configurationSlot must be a slot.");
  return slot(value);
}

function readMembers(value: unknown, what: string): readonly MemberInfo[] {
  if (!Array.isArray(value) || value.length > MAX_MEMBERS) {
    throw badRequest(`${what} must be a list of at most ${MAX_MEMBERS} members.`);
  }
  return value.map((item: unknown, index) => readMember(item, `${what}[${index}]`));
}

function readMember(value: unknown, what: string): MemberInfo {
  const { incarnation, name, address } = fields(value, what);
  if (typeof name !== "string" || !NAME_PATTERN.test(name)) {
    throw badRequest(`${what}.name must be 1 to 64 letters, digits, ".", "_", "-".`);
  }
  if (typeof address !== "string" || address === "" || address.length > MAX_ADDRESS_LENGTH) {
    throw badRequest(`${what}.address must be a host and port.`);
  }
  return { incarnation: readIncarnation(incarnation, `${what}.incarnation`), name, address };
}

function readIncarnation(value: unknown, what: string): Incarnation {
  if (typeof value !== "string" || !isIncarnation(value)) throw badRequest(`${what} must be 32 lowercase hex digits.`);
  return value;
}

interface Fields {
  readonly incarnation?: unknown;
  readonly founding?: unknown;
  readonly cluster?: unknown;
  readonly configuration?: unknown;
  readonly configurationSlot?: unknown;
  readonly voters?: unknown;
  readonly learners?: unknown;
  readonly removed?: unknown;
  readonly name?: unknown;
  readonly address?: unknown;
}

function fields(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw badRequest(`${what} must be a JSON object.`);
  return value;
}
