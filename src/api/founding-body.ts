import { isIncarnation, type Incarnation } from "../paxos/ids.ts";
import { MAX_MEMBERS, type MemberInfo } from "../paxos/configuration.ts";
import type { Founding } from "../storage/interface.ts";
import { badRequest } from "./request-fields.ts";

const CLUSTER_PATTERN = /^[0-9a-f]{32}$/;
const NAME_PATTERN = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;
const MAX_ADDRESS_LENGTH = 262;

/** Reads the body of `POST /v1/founding`: `{incarnation, founding}`. Throws a `SYNOD_ERR_BAD_REQUEST` that says what is wrong. */
export function readFoundingBody(body: unknown): { founding: Founding; incarnation: Incarnation } {
  const { incarnation, founding } = fields(body, "the body");
  const { cluster, configuration } = fields(founding, "founding");
  if (typeof cluster !== "string" || !CLUSTER_PATTERN.test(cluster)) {
    throw badRequest("founding.cluster must be 32 lowercase hex digits.");
  }
  const { voters, learners } = fields(configuration, "founding.configuration");
  const read = { voters: readMembers(voters, "voters"), learners: readMembers(learners, "learners") };
  checkSizes(read);
  return { founding: { cluster, configuration: read }, incarnation: readIncarnation(incarnation, "incarnation") };
}

function checkSizes({ voters, learners }: Founding["configuration"]): void {
  if (voters.length < 1) throw badRequest("founding.configuration needs a voter.");
  const all = [...voters, ...learners];
  for (const field of ["incarnation", "name"] as const) {
    if (new Set(all.map((member) => member[field])).size !== all.length) throw badRequest(`Two members have the same ${field}.`);
  }
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
  readonly voters?: unknown;
  readonly learners?: unknown;
  readonly name?: unknown;
  readonly address?: unknown;
}

function fields(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw badRequest(`${what} must be a JSON object.`);
  return value;
}
