import type { KeyRing } from "../auth/key-ring.ts";
import { membersNamed } from "../api/members-named.ts";
import type { ChangePlan, Membership, Members } from "../api/service.ts";
import { SynodError } from "../errors/synod-error.ts";
import { admit, askNewcomer } from "../founding/admission.ts";
import type { Fetch } from "../founding/member-call.ts";
import { allMembers, type Configuration, isVoter } from "../paxos/configuration.ts";
import { type Incarnation, isIncarnation, slot } from "../paxos/ids.ts";
import type { MemberProgress } from "../paxos/leader.ts";
import type { ConfigurationChange } from "../paxos/membership.ts";
import type { Member } from "./member.ts";
import type { MemberRequest, MembersView } from "./member-requests.ts";

/** How often it is looked whether a transfer of leadership has come about, and for how long. */
const TRANSFER_LOOK_MS = 10;
const TRANSFER_WAIT_MS = 2_000;
/** What is said when that time is up. */
export const NOT_HANDED_OVER = "The other member does not lead in time. It may be behind, or its disk slow, and may yet take over. GET /v1/members says how far it is; ask again.";

export interface MembershipPort {
  /** The member at work; throws the coded error that says why there is none. */
  member(): Member;
  readonly cluster: () => string;
  /** What newcomers ask for; null: nothing. */
  readonly keys: KeyRing | null;
  readonly fetch: Fetch;
  pause(ms: number): Promise<void>;
}

/** What the API offers about members: asks the leader through the member at hand, and looks after newcomers. */
export class MembershipService implements Membership {
  readonly #port: MembershipPort;

  constructor(port: MembershipPort) {
    this.#port = port;
  }

  /** As the leader knows them, or as this member does when there is no leader to ask. Throws `SYNOD_ERR_LEFT` on one that has left. */
  async members(): Promise<Members> {
    const member = this.#port.member();
    const view = await this.#ask({ type: "members" }).catch((error: unknown) => {
      // Nobody tells it of later changes, so that its list would be taken for one of an earlier time for ever.
      if (member.left) throw new SynodError("SYNOD_ERR_LEFT");
      if (error instanceof SynodError && error.kind.retryable) return member.membersView();
      throw error;
    });
    return this.#describe(view);
  }

  async add(newcomer: { readonly address: string; readonly id?: Incarnation }, plan: ChangePlan): Promise<Members & { readonly added: string }> {
    const url = `http://${newcomer.address}`;
    this.#port.member();
    const cluster = this.#port.cluster();
    const { incarnation, member: name } = await askNewcomer(this.#port.fetch, url, cluster, newcomer.id ?? null);
    const view = await this.#change({ type: "addLearner", member: { incarnation, name, address: newcomer.address } }, plan);
    const { configuration, configurationSlot } = view;
    await admit(this.#port.fetch, url, incarnation, { cluster, configuration, configurationSlot }, this.#port.keys);
    return { ...this.#describe(view), added: incarnation };
  }

  async promote(id: string, { replaces, ...plan }: ChangePlan & { readonly replaces?: string }): Promise<Members> {
    const incarnation = await this.#resolve(id, "learner");
    const replaced = replaces === undefined ? null : await this.#resolve(replaces, "voter");
    // The learner took the voter's name with its place: this request was made before, and is done or about to be.
    const change = { type: "promote", incarnation, replaces: replaced === incarnation ? null : replaced } as const;
    return this.#describe(await this.#change(change, plan));
  }

  async remove(id: string, plan: ChangePlan): Promise<Members> {
    return this.#describe(await this.#change({ type: "remove", incarnation: await this.#resolve(id) }, plan));
  }

  async transferLeadership(id: string): Promise<Members> {
    const target = await this.#resolve(id, "voter");
    await this.#ask({ type: "transfer", target });
    for (let waitedMs = 0; waitedMs < TRANSFER_WAIT_MS; waitedMs += TRANSFER_LOOK_MS) {
      if (this.#port.member().status().leader === target) return this.members();
      await this.#port.pause(TRANSFER_LOOK_MS);
    }
    throw new SynodError("SYNOD_ERR_CHANGE_UNKNOWN", NOT_HANDED_OVER);
  }

  /** An id stands for itself, known or not: the leader judges it. Names are those of the leader's configuration. */
  async #resolve(id: string, role?: "voter" | "learner"): Promise<Incarnation> {
    if (isIncarnation(id)) return id;
    const { configuration } = await this.#ask({ type: "members" });
    return memberNamed(configuration, id, role);
  }

  #change(change: ConfigurationChange, { plannedFrom, force = false }: ChangePlan): Promise<MembersView> {
    return this.#ask({ type: "change", change, plannedFrom: plannedFrom === undefined ? null : slot(plannedFrom), force }).catch((error: unknown) => {
      const unknown = error instanceof SynodError && error.code === "SYNOD_ERR_CHANGE_UNKNOWN";
      throw unknown ? new SynodError(error.code, error.message, idsOf(change)) : error;
    });
  }

  #ask(request: MemberRequest): Promise<MembersView> {
    const member = this.#port.member();
    return new Promise((resolve, reject) => {
      member.requestMembers(request, (answer) => (answer instanceof SynodError ? reject(answer) : resolve(answer)));
    });
  }

  #describe(view: MembersView): Members {
    const { configuration, configurationSlot, done, chosenThrough } = view;
    const { leader } = this.#port.member().status();
    const members = allMembers(configuration).map(({ incarnation, name, address }) => {
      const role = roleOf(configuration, incarnation);
      const progress = view.progress.find((known) => known.incarnation === incarnation);
      const said = progress !== undefined && hasSaid(progress, role) ? progress : null;
      return {
        id: incarnation, name, address,
        role,
        leader: incarnation === leader,
        behind: said === null ? null : Math.max(0, chosenThrough - said.chosenThrough),
        heardMs: progress?.heardAgoMs ?? null,
        caughtUp: said?.caughtUp ?? null,
      };
    });
    return { configuration: configurationSlot, pending: done === null ? null : !done, members, removed: configuration.removed };
  }
}

/** Whether a member said how far it is since its leader leads. That nothing is chosen only a learner says, which has it all to come. */
function hasSaid({ heardAgoMs, chosenThrough }: MemberProgress, role: "voter" | "learner"): boolean {
  return heardAgoMs !== null && (chosenThrough > 0 || role === "learner");
}

/** What to ask for an unknown change by: who is gone when it was made cannot be found by name. */
function idsOf(change: ConfigurationChange): Record<string, string> {
  if (change.type === "addLearner") return { member: change.member.incarnation };
  if (change.type === "remove" || change.replaces === null) return { member: change.incarnation };
  return { member: change.incarnation, replaces: change.replaces };
}

/** The one member of that name; where a voter and a learner share it, `role` decides. */
export function memberNamed(configuration: Configuration, name: string, role?: "voter" | "learner"): Incarnation {
  const members = allMembers(configuration).map((member) => ({ ...member, role: roleOf(configuration, member.incarnation) }));
  const named = membersNamed(members, name, role);
  const [only] = named;
  if (only === undefined) {
    throw new SynodError("SYNOD_ERR_NO_SUCH_MEMBER", `There is no member named ${name}. GET /v1/members lists all; one that has left is named by its id.`);
  }
  if (named.length > 1) throw new SynodError("SYNOD_ERR_BAD_REQUEST", `Two members are named ${name}: give the id of one.`);
  return only.incarnation;
}

function roleOf(configuration: Configuration, member: Incarnation): "voter" | "learner" {
  return isVoter(configuration, member) ? "voter" : "learner";
}
