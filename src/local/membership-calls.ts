import { setTimeout as pause } from "node:timers/promises";
import { authorized } from "../auth/authorized-call.ts";
import type { KeyRing } from "../auth/key-ring.ts";
import { membersNamed } from "../api/members-named.ts";
import type { MemberEntry, Members } from "../client/types.ts";
import { SynodError } from "../errors/synod-error.ts";
import type { ErrorCode } from "../errors/table.ts";
import { sendChange } from "../client/change-call.ts";
import { type Answer, type Call, send } from "../client/http-call.ts";
import { isIncarnation } from "../paxos/ids.ts";
import { type Patience, persist } from "./persist.ts";

type Sending = (call: Call) => Promise<Answer>;

/** Longer than a member looks for an answer, and has a newcomer take its document, itself. */
const CALL_MS = 35_000;
/** With these a member says that it serves no more, which says nothing of the others. */
const OUT: ReadonlySet<ErrorCode> = new Set(["SYNOD_ERR_LEFT", "SYNOD_ERR_FENCED"]);
/** How often it is looked whether a learner has caught up. */
const LOOK_MS = 100;

/** Under what condition a change is wanted; see `ChangePlan` of the API. */
export interface CallPlan {
  readonly configuration?: number | undefined;
  readonly force?: boolean | undefined;
}

export interface CatchUpOptions extends CallPlan {
  /** The id of the voter whose place the learner takes. */
  readonly replaces?: string;
  /** How long the learner may take until it may vote, in milliseconds. */
  readonly waitMs: number;
}

export interface MembershipCallsOptions {
  /** How long a call that fails with what may pass is made again; by default not at all. */
  readonly patience?: Patience;
  /** What the members ask for; absent or null: nothing. */
  readonly keys?: KeyRing | null;
  /** Hears of a member that says that it has left or is fenced, which another is not. True: there is another one to ask, which is done at once. */
  readonly onOut?: (url: string) => boolean;
}

/**
 * The membership routes of a cluster, at the member that `endpoint` chooses for each attempt. A call that fails with what may
 * pass is made again within its patience: no change is made twice. Throws the coded errors of `send`.
 */
export class MembershipCalls {
  readonly #endpoint: () => string | Promise<string>;
  readonly #patience: Patience;
  readonly #keys: KeyRing | null;
  readonly #onOut: (url: string) => boolean;
  /** The latest configuration that an answer showed. */
  #latest = 0;

  constructor(endpoint: () => string | Promise<string>, { patience = { forMs: 0 }, keys = null, onOut = () => false }: MembershipCallsOptions = {}) {
    this.#endpoint = endpoint;
    this.#patience = patience;
    this.#keys = keys;
    this.#onOut = onOut;
  }

  members(): Promise<Members> {
    return this.#callForMembers("GET", "/v1/members");
  }

  /** Whether who is not in the list is no member: only a leader's list says so, and not that of an earlier leader. */
  isConclusive({ configuration, pending }: Members): boolean {
    return pending !== null && configuration >= this.#latest;
  }

  /**
   * The id of who has that name, and of those who share it, that role; else what was given, of which the members say what is wrong.
   * A change that is asked for again must name its members by id: who has left is known by no name, and another may have it by then.
   */
  async idOf(member: string, role?: "voter" | "learner"): Promise<string> {
    if (isIncarnation(member)) return member;
    const known = await this.members();
    if (!this.isConclusive(known)) throw new SynodError("SYNOD_ERR_NO_LEADER");
    const named = membersNamed(known.members, member, role);
    return named.length === 1 ? (named[0]?.id ?? member) : member;
  }

  /** The entry of the new member at `address`, who is a learner then, or what it became since if it was added before. */
  async add(address: string, plan: CallPlan = {}): Promise<MemberEntry> {
    const { members, added } = await this.#callForMembers<Members & { readonly added: string }>("POST", "/v1/members", { address, ...fieldsOf(plan) });
    const newcomer = members.find((member) => member.id === added);
    if (newcomer === undefined) throw new SynodError("SYNOD_ERR_NO_SUCH_MEMBER", `${address} was added and removed again meanwhile.`);
    return newcomer;
  }

  promote(id: string, { replaces, ...plan }: CallPlan & { readonly replaces?: string | undefined } = {}): Promise<Members> {
    const body = { ...fieldsOf(plan), ...(replaces === undefined ? {} : { replaces }) };
    return this.#callForMembers("POST", `/v1/members/${encodeURIComponent(id)}/promote`, body);
  }

  remove(id: string, plan: CallPlan = {}): Promise<Members> {
    const query = new URLSearchParams(Object.entries(fieldsOf(plan)).map(([name, value]) => [name, String(value)]));
    return this.#callForMembers("DELETE", `/v1/members/${encodeURIComponent(id)}?${query.toString()}`);
  }

  transferLeadership(id: string): Promise<Members> {
    return this.#callForMembers("POST", `/v1/members/${encodeURIComponent(id)}/transfer-leadership`, {});
  }

  /** Has the member at the endpoint give up what it keeps, if that is what it kept as `id`. */
  renew(id: string): Promise<{ readonly member: string; readonly renewed: string }> {
    return this.#call(send, "POST", "/v1/renew", { incarnation: id });
  }

  /**
   * Promotes a learner as soon as that is allowed. Throws `SYNOD_ERR_LEARNER_LAGS` when it has not caught up after `waitMs`, and
   * `SYNOD_ERR_NO_LEADER` when nobody knew of it then and no leader said that it is gone.
   */
  async promoteWhenCaughtUp({ id, name }: MemberEntry, { waitMs, ...plan }: CatchUpOptions): Promise<Members> {
    const untilMs = performance.now() + waitMs;
    for (;;) {
      const known = await this.members();
      const learner = known.members.find((member) => member.id === id);
      if (learner === undefined && this.isConclusive(known)) throw new SynodError("SYNOD_ERR_NO_SUCH_MEMBER", `${name} was removed meanwhile.`);
      // A voter is promoted already: asked again, the member answers when that is done.
      const promoted = learner?.caughtUp === true || learner?.role === "voter" ? await this.#tryPromote(id, plan) : null;
      if (promoted !== null) return promoted;
      if (performance.now() >= untilMs) {
        if (learner === undefined) throw new SynodError("SYNOD_ERR_NO_LEADER");
        throw new SynodError("SYNOD_ERR_LEARNER_LAGS", `${name} is still ${learner.behind ?? "?"} slots behind after ${waitMs} ms.`);
      }
      await pause(LOOK_MS);
    }
  }

  /** Null when the learner fell behind again in the meantime. */
  async #tryPromote(id: string, plan: CallPlan & { readonly replaces?: string }): Promise<Members | null> {
    try {
      return await this.promote(id, plan);
    } catch (error) {
      if (error instanceof SynodError && error.code === "SYNOD_ERR_LEARNER_LAGS") return null;
      throw error;
    }
  }

  async #callForMembers<T extends Members = Members>(method: Call["method"], path: string, body?: unknown): Promise<T> {
    const members = await this.#call<T>(sendChange, method, path, body);
    this.#latest = Math.max(this.#latest, members.configuration);
    return members;
  }

  #call<T>(sending: Sending, method: Call["method"], path: string, body?: unknown): Promise<T> {
    return persist(this.#patience, () => this.#send(sending, method, path, body));
  }

  async #send<T>(sending: Sending, method: Call["method"], path: string, body: unknown): Promise<T> {
    for (;;) {
      const endpoint = await this.#endpoint();
      try {
        return await this.#sendTo<T>(sending, new URL(path, endpoint), method, body);
      } catch (error) {
        if (!(error instanceof SynodError) || !OUT.has(error.code) || !this.#onOut(endpoint)) throw error;
      }
    }
  }

  async #sendTo<T>(sending: Sending, url: URL, method: Call["method"], body: unknown): Promise<T> {
    const sent = body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) };
    const form: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    const answer = await authorized(this.#keys, (headers) => sending({ method, url, timeoutMs: CALL_MS, headers: { ...form, ...headers }, ...sent }));
    return JSON.parse(answer.body.toString("utf8")) as T;
  }
}

function fieldsOf({ configuration, force }: CallPlan): Record<string, unknown> {
  return { ...(configuration === undefined ? {} : { configuration }), ...(force === true ? { force } : {}) };
}
