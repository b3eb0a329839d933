import { authorized } from "../../auth/authorized-call.ts";
import type { KeyRing } from "../../auth/key-ring.ts";
import { sendChange } from "../../client/change-call.ts";
import { type Answer, type Call, send } from "../../client/http-call.ts";
import type { Members, Status } from "../../client/types.ts";
import { SynodError } from "../../errors/synod-error.ts";
import { MEMBER_PORT } from "../resource/names.ts";
import { type ClusterKeys, ringOf } from "./keys.ts";

/** A member that takes longer to say who it is counts as one that does not answer: it may be frozen. */
const LOOK_MS = 1_000;
/** A member asks the leader itself before it answers who is a member. */
const MEMBERS_MS = 2_500;
/** A change is answered when it is done. One that takes longer is asked for again by a later pass, and not made twice. */
const CHANGE_MS = 15_000;

/** The founding document, as `POST /v1/founding` takes it. */
export interface FoundingDocument {
  readonly cluster: string;
  readonly configuration: {
    readonly voters: readonly { readonly incarnation: string; readonly name: string; readonly address: string }[];
    readonly learners: readonly [];
    readonly removed: readonly [];
  };
  readonly configurationSlot: 0;
}

/** Where the member in a pod is asked: at the pod's own address, so that it is this pod and no other that answers. */
export function podUrl({ ip }: { readonly name: string; readonly ip: string }): string {
  return `http://${ip.includes(":") ? `[${ip}]` : ip}:${MEMBER_PORT}`;
}

/** Calls to the members of one cluster, each at the address of a pod. Throws the coded errors of `send`. */
export class MemberCalls {
  readonly #keys: KeyRing | null;

  constructor(keys: ClusterKeys | null) {
    this.#keys = keys === null ? null : ringOf(keys);
  }

  status(url: string): Promise<Status> {
    return this.#send({ method: "GET", url: new URL("/v1/status", url), timeoutMs: LOOK_MS });
  }

  members(url: string): Promise<Members> {
    return this.#send({ method: "GET", url: new URL("/v1/members", url), timeoutMs: MEMBERS_MS });
  }

  async found(url: string, incarnation: string, founding: FoundingDocument): Promise<void> {
    await this.#ask(send, "POST", url, "/v1/founding", { incarnation, founding });
  }

  async add(url: string, newcomer: { readonly address: string; readonly id: string }, configuration: number): Promise<void> {
    await this.#change("POST", url, "/v1/members", { ...newcomer, configuration });
  }

  async promote(url: string, id: string, replaces: string | null, configuration: number): Promise<void> {
    await this.#change("POST", url, `/v1/members/${encodeURIComponent(id)}/promote`, { configuration, ...(replaces === null ? {} : { replaces }) });
  }

  async remove(url: string, id: string, configuration: number): Promise<void> {
    await this.#change("DELETE", url, `/v1/members/${encodeURIComponent(id)}?configuration=${configuration}`);
  }

  async transferLeadership(url: string, to: string): Promise<void> {
    await this.#change("POST", url, `/v1/members/${encodeURIComponent(to)}/transfer-leadership`, {});
  }

  /** The member with that incarnation empties its folder and ends, to come back as a new one. */
  async renew(url: string, incarnation: string): Promise<void> {
    await this.#ask(send, "POST", url, "/v1/renew", { incarnation });
  }

  #change(method: Call["method"], url: string, path: string, body?: unknown): Promise<void> {
    return this.#ask(sendChange, method, url, path, body);
  }

  async #ask(sending: (call: Call) => Promise<Answer>, method: Call["method"], url: string, path: string, body?: unknown): Promise<void> {
    const sent = body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    await authorized(this.#keys, (headers) => sending({ method, url: new URL(path, url), timeoutMs: CHANGE_MS, ...sent, headers: { ...type, ...headers } }));
  }

  async #send<T>(call: Call): Promise<T> {
    const { body } = await send(call);
    try {
      return JSON.parse(body.toString("utf8")) as T;
    } catch {
      throw new SynodError("SYNOD_ERR_BAD_REQUEST", `${call.url.origin} does not answer as a synod member does.`);
    }
  }
}
