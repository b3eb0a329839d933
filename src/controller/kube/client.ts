import {
  HttpMethod, IsomorphicFetchHttpLibrary, KubeConfig, type KubernetesObject, RequestContext, type ResponseContext,
} from "@kubernetes/client-node";
import { MANAGER } from "../manifests/labels.ts";
import { answeredError, isOutcome, KubeError, unansweredError } from "./kube-error.ts";
import { isKind, type Kind, pathOf, type Place } from "./resources.ts";

/** The field manager of everything that the controller applies. */
export const FIELD_MANAGER = MANAGER;

const REQUEST_MS = 10_000;
const PAGE_OBJECTS = 500;
const MAX_PAGES = 1_000;
/** A line of a watch: no object that the API server stores comes near it. */
const MAX_LINE_CHARS = 16 * 1024 * 1024;

export interface ListQuery {
  readonly labelSelector?: string;
}

/** All objects of a list, and the version of the collection that they are. */
export interface ObjectList<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: KubernetesObject & { readonly code?: number; readonly message?: string };
}

export interface WatchRequest extends ListQuery {
  readonly resourceVersion: string;
  /** For how long the server is asked to tell, in seconds; a little later the connection is given up. */
  readonly seconds: number;
  readonly onEvent: (event: WatchEvent) => void;
  readonly signal: AbortSignal;
}

export interface ApplyOptions {
  readonly fieldManager?: string;
  /** Take fields over that others own. The controller does: else what somebody edited by hand could never be mended. */
  readonly force?: boolean;
  readonly subresource?: "status";
}

/** Only the object with this uid, or this version of it; else `conflict`. */
export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

interface Exchange {
  readonly method: keyof typeof HttpMethod;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal: AbortSignal;
}

/** What a request was, for metrics and tests. */
export interface SentRequest {
  readonly verb: "get" | "list" | "create" | "apply" | "patch" | "delete" | "watch";
  readonly kind: Kind;
}

/**
 * Requests to one API server, as plain JSON: objects arrive as the server sends them, dates as text, so that they can be compared with what
 * was applied. Every failure is a `KubeError`. The library brings configuration, credentials and TLS.
 */
export class KubeClient {
  readonly #config: KubeConfig;
  readonly #onRequest: (request: SentRequest) => void;
  readonly #http = new IsomorphicFetchHttpLibrary();
  /** The library would make a new pool of connections for every request. */
  #dispatcher: ReturnType<RequestContext["getDispatcher"]>;

  constructor(config: KubeConfig, onRequest: (request: SentRequest) => void = () => {}) {
    this.#config = config;
    this.#onRequest = onRequest;
  }

  /** Null: there is none. */
  async get<T extends KubernetesObject>(place: Place): Promise<T | null> {
    this.#onRequest({ verb: "get", kind: place.kind });
    try {
      return await this.#call<T>("GET", place);
    } catch (error) {
      if (isOutcome(error, "notFound")) return null;
      throw error;
    }
  }

  /** All objects of a kind in one namespace, or in all. Read in pages; `gone` when the list grew too old meanwhile. */
  async list<T extends KubernetesObject>(place: Place, query: ListQuery = {}): Promise<ObjectList<T>> {
    this.#onRequest({ verb: "list", kind: place.kind });
    const items: T[] = [];
    let next = "";
    for (let page = 0; page < MAX_PAGES; page++) {
      const parameters = { ...definedOf(query), limit: String(PAGE_OBJECTS), ...(next === "" ? {} : { continue: next }) };
      const { items: some, metadata } = await this.#call<{ items: T[]; metadata?: { resourceVersion?: string; continue?: string } }>("GET", place, parameters);
      items.push(...some);
      next = metadata?.continue ?? "";
      if (next === "") return { items, resourceVersion: metadata?.resourceVersion ?? "" };
    }
    throw new KubeError("invalid", `GET ${pathOf(place)}: the list does not end.`);
  }

  create<T extends KubernetesObject>(object: T): Promise<T> {
    const { kind, namespace } = placeOf(object);
    this.#onRequest({ verb: "create", kind });
    return this.#call("POST", { kind, namespace }, { fieldManager: FIELD_MANAGER }, object);
  }

  /** Server-side apply: makes the object if there is none, and sets the fields that are named. */
  apply<T extends KubernetesObject>(object: T, { fieldManager = FIELD_MANAGER, force = true, subresource }: ApplyOptions = {}): Promise<T> {
    const place = { ...placeOf(object), ...(subresource === undefined ? {} : { subresource }) };
    this.#onRequest({ verb: "apply", kind: place.kind });
    return this.#call("PATCH", place, { fieldManager, force: String(force) }, object, "application/apply-patch+yaml");
  }

  /** A JSON merge patch. `metadata.uid` or `metadata.resourceVersion` in it are preconditions: `conflict` when they are not met. */
  patch<T extends KubernetesObject>(place: Place, patch: object): Promise<T> {
    this.#onRequest({ verb: "patch", kind: place.kind });
    return this.#call("PATCH", place, { fieldManager: FIELD_MANAGER }, patch, "application/merge-patch+json");
  }

  /** Deletes with the object's own grace. That it is gone already is as good; another object of its name is left alone (`conflict`). */
  async delete(place: Place, preconditions: Preconditions = {}, propagationPolicy: "Background" | "Orphan" = "Background"): Promise<void> {
    this.#onRequest({ verb: "delete", kind: place.kind });
    const options = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy, preconditions };
    try {
      await this.#call("DELETE", place, {}, options);
    } catch (error) {
      if (!isOutcome(error, "notFound")) throw error;
    }
  }

  /** Tells what happens to a collection after `resourceVersion`, until the server ends it. Rejects with `gone` when that version is too old. */
  async watch(place: Place, { resourceVersion, seconds, onEvent, signal, ...query }: WatchRequest): Promise<void> {
    this.#onRequest({ verb: "watch", kind: place.kind });
    const parameters = {
      ...definedOf(query), watch: "true", allowWatchBookmarks: "true", resourceVersion, timeoutSeconds: String(seconds),
    };
    // A connection that died without a word must not leave the informer blind for ever.
    const bound = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1_000 + REQUEST_MS)]);
    const what = `WATCH ${pathOf(place)}`;
    const response = await this.#exchange(what, { method: "GET", path: pathOf(place), query: parameters, signal: bound });
    if (response.httpStatusCode !== 200) throw answeredError(what, response.httpStatusCode, await response.body.text());
    await readLines(what, response, onEvent);
  }

  async #call<T>(method: Exchange["method"], place: Place, query: Readonly<Record<string, string>> = {}, body?: unknown, contentType = "application/json"): Promise<T> {
    const what = `${method} ${pathOf(place)}`;
    const signal = AbortSignal.timeout(REQUEST_MS);
    const response = await this.#exchange(what, { method, path: pathOf(place), query, signal, ...(body === undefined ? {} : { body, contentType }) });
    const text = await response.body.text().catch((error: unknown) => { throw unansweredError(what, error); });
    const { httpStatusCode: status } = response;
    if (status < 200 || status > 299) throw answeredError(what, status, text, place.kind === "Secret");
    return parse<T>(what, text);
  }

  async #exchange(what: string, { method, path, query = {}, body, contentType, signal }: Exchange): Promise<ResponseContext> {
    try {
      const request = await this.#request(method, path);
      for (const [name, value] of Object.entries(query)) request.setQueryParam(name, value);
      request.setHeaderParam("accept", "application/json");
      if (body !== undefined) {
        request.setHeaderParam("content-type", contentType ?? "application/json");
        request.setBody(JSON.stringify(body));
      }
      request.setSignal(signal);
      return await this.#http.send(request).toPromise();
    } catch (error) {
      // Its credentials for TLS may be out of date.
      this.#dispatcher = undefined;
      throw unansweredError(what, error);
    }
  }

  async #request(method: Exchange["method"], path: string): Promise<RequestContext> {
    const server = this.#config.getCurrentCluster()?.server;
    if (server === undefined) throw new Error("no cluster is configured");
    const request = new RequestContext(`${server.replace(/\/$/, "")}${path}`, HttpMethod[method]);
    await this.#config.applySecurityAuthentication(request);
    this.#dispatcher ??= request.getDispatcher();
    if (this.#dispatcher !== undefined) request.setDispatcher(this.#dispatcher);
    return request;
  }
}

async function readLines(what: string, response: ResponseContext, onEvent: (event: WatchEvent) => void): Promise<void> {
  const stream = response.body.stream();
  if (stream === null) throw unansweredError(what, new Error("no body"));
  const decoder = new TextDecoder();
  let pending = "";
  try {
    for await (const bytes of stream as AsyncIterable<Uint8Array>) {
      const lines = (pending + decoder.decode(bytes, { stream: true })).split("\n");
      pending = lines.pop() ?? "";
      if (pending.length > MAX_LINE_CHARS) throw new KubeError("unavailable", `${what}: a line does not end.`);
      for (const line of lines) if (line !== "") take(what, parse<WatchEvent>(what, line), onEvent);
    }
  } catch (error) {
    throw error instanceof KubeError ? error : unansweredError(what, error);
  }
}

function take(what: string, event: WatchEvent, onEvent: (event: WatchEvent) => void): void {
  if (event.type === "ERROR") throw answeredError(what, event.object.code ?? 500, JSON.stringify(event.object));
  onEvent(event);
}

function parse<T>(what: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new KubeError("unavailable", `${what}: the answer is not JSON.`);
  }
}

function placeOf({ kind = "", metadata }: KubernetesObject): Place {
  if (!isKind(kind)) throw new KubeError("invalid", `"${kind.slice(0, 64)}" is no kind that the controller deals with.`);
  return { kind, namespace: metadata?.namespace, name: metadata?.name };
}

function definedOf({ labelSelector }: ListQuery): Record<string, string> {
  return labelSelector === undefined ? {} : { labelSelector };
}
