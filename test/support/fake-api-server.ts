import { KubeConfig, type KubernetesObject } from "@kubernetes/client-node";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface StoredObject extends KubernetesObject {
  metadata: NonNullable<KubernetesObject["metadata"]> & { name: string; resourceVersion: string; uid: string };
  [field: string]: unknown;
}

interface Change {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly collection: string;
  readonly object: StoredObject;
}

export interface ServedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: Record<string, unknown>;
}

/** What a test has the server do instead of answering: answer with a status, cut the connection, or wait for `release`. */
export type Fault = { readonly status: number; readonly body?: object } | "cut";

interface Place {
  readonly collection: string;
  readonly namespace: string | null;
  readonly name: string | null;
  readonly status: boolean;
}

/**
 * As much of a Kubernetes API server as the controller uses, in memory, over real HTTP: objects with uids and versions, lists and watches with
 * label selectors, create, merge patch, a plain kind of server-side apply, deletion with preconditions. Objects are deleted at once.
 */
export class FakeApiServer {
  readonly objects = new Map<string, StoredObject>();
  readonly requests: ServedRequest[] = [];
  /** Asked for each request; null lets the server answer. */
  fault: (request: ServedRequest) => Fault | null = () => null;
  readonly #server: Server;
  readonly #watches = new Set<{ readonly place: Place; readonly selector: string | null; readonly response: ServerResponse }>();
  readonly #history: Change[] = [];
  readonly #waiting = new Set<() => void>();
  #version = 1;
  #uids = 0;
  #oldest = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<FakeApiServer> {
    const server = new FakeApiServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get config(): KubeConfig {
    const config = new KubeConfig();
    const { port } = this.#server.address() as AddressInfo;
    config.loadFromClusterAndUser({ name: "fake", server: `http://127.0.0.1:${port}`, skipTLSVerify: true }, { name: "somebody" });
    return config;
  }

  get watchCount(): number {
    return this.#watches.size;
  }

  /** Requests that changed something, or would have. */
  get writes(): readonly ServedRequest[] {
    return this.requests.filter(({ method }) => method !== "GET");
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** Resolves once `holds` does; it is looked at again whenever the server did something. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  get(collection: string, name: string): StoredObject | undefined {
    return this.objects.get(`${collection}/${name}`);
  }

  /** Puts an object as if somebody else had written it. `collection` is its path, such as `/api/v1/namespaces/n/pods`. */
  put(collection: string, object: KubernetesObject): StoredObject {
    const key = `${collection}/${object.metadata?.name}`;
    return this.#store(key, collection, object, this.objects.get(key));
  }

  remove(collection: string, name: string): void {
    this.#delete(`${collection}/${name}`, collection);
  }

  /** Ends all watches, cleanly or by cutting their connections. */
  endWatches(how: "cleanly" | "cut"): void {
    for (const { response } of this.#watches) {
      if (how === "cut") response.destroy();
      else response.end();
    }
    this.#watches.clear();
  }

  /** From now on nothing can be told of what happened before: watches from an older version get 410. */
  compact(): void {
    this.#oldest = this.#version;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://fake");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const served: ServedRequest = {
      method: request.method ?? "", path: url.pathname, query: url.searchParams, contentType: request.headers["content-type"] ?? "",
      body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
    this.requests.push(served);
    const fault = this.fault(served);
    if (fault === "cut") request.socket.destroy();
    else if (fault !== null) send(response, fault.status, fault.body ?? statusBody(fault.status, "Faulty"));
    else this.#answer(served, response);
    this.#wake();
  }

  #answer({ method, path, query, contentType, body }: ServedRequest, response: ServerResponse): void {
    const place = placeOf(path);
    const key = `${place.collection}/${place.name}`;
    const present = this.objects.get(key);
    if (method === "GET" && query.get("watch") === "true") return this.#watch(place, query, response);
    if (method === "GET" && place.name === null) return send(response, 200, this.#list(place, query.get("labelSelector")));
    if (method === "POST") return this.#create(place, body, response);
    const apply = contentType.startsWith("application/apply-patch");
    if (present === undefined && !(method === "PATCH" && apply && !place.status)) return send(response, 404, statusBody(404, "NotFound"));
    if (method === "GET") return send(response, 200, present);
    if (method === "DELETE") {
      if (!meets(present, (body["preconditions"] ?? {}) as object)) return send(response, 409, statusBody(409, "Conflict"));
      this.#delete(key, place.collection);
      return send(response, 200, statusBody(200, ""));
    }
    const metadata = (body["metadata"] ?? {}) as { uid?: string; resourceVersion?: string };
    if (present !== undefined && !meets(present, { ...metadata, uid: present.metadata.uid })) return send(response, 409, statusBody(409, "Conflict"));
    if (present !== undefined && !meets(present, metadata)) {
      return send(response, 422, { ...statusBody(422, "Invalid"), details: { causes: [{ reason: "FieldValueInvalid", field: "metadata.uid" }] } });
    }
    const change = place.status ? { status: body["status"] } : without(body, "status");
    // What was applied to the status replaces it; elsewhere fields that are not named stay.
    const merged = place.status ? { ...present, ...change } : merge(present ?? {}, change);
    return send(response, 200, this.#store(key, place.collection, merged as KubernetesObject, present));
  }

  #create(place: Place, body: Record<string, unknown>, response: ServerResponse): void {
    const { name } = body["metadata"] as { name: string };
    const key = `${place.collection}/${name}`;
    if (this.objects.has(key)) return send(response, 409, statusBody(409, "AlreadyExists"));
    send(response, 201, this.#store(key, place.collection, body as KubernetesObject, undefined));
  }

  #list(place: Place, selector: string | null): object {
    const items = [...this.objects].filter(([key, object]) => isIn(key, object, place) && selects(selector, object)).map(([, object]) => object);
    return { kind: "List", apiVersion: "v1", metadata: { resourceVersion: String(this.#version) }, items };
  }

  #watch(place: Place, query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get("resourceVersion"));
    if (from < this.#oldest) return send(response, 410, statusBody(410, "Expired"));
    const watch = { place, selector: query.get("labelSelector"), response };
    response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    this.#watches.add(watch);
    response.on("close", () => {
      this.#watches.delete(watch);
      this.#wake();
    });
    for (const change of this.#history) if (change.version > from) tell(watch, change);
  }

  #store(key: string, collection: string, object: KubernetesObject, present: StoredObject | undefined): StoredObject {
    const version = this.#version + 1;
    const metadata = {
      generation: 1, creationTimestamp: "2026-01-01T00:00:00Z", ...object.metadata,
      uid: present?.metadata.uid ?? `uid-${++this.#uids}`, resourceVersion: String(version),
    };
    const namespace = placeOf(`${collection}/x`).namespace;
    const stored = { ...object, metadata: { ...metadata, ...(namespace === null ? {} : { namespace }) } } as unknown as StoredObject;
    // As the real one: a write that changes nothing makes no new version.
    if (present !== undefined && same(present, stored)) return present;
    this.objects.set(key, stored);
    this.#note({ version, type: present === undefined ? "ADDED" : "MODIFIED", collection, object: stored });
    return stored;
  }

  #delete(key: string, collection: string): void {
    const object = this.objects.get(key);
    this.objects.delete(key);
    const version = this.#version + 1;
    if (object !== undefined) this.#note({ version, type: "DELETED", collection, object: { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } } });
  }

  #note(change: Change): void {
    this.#version = change.version;
    this.#history.push(change);
    for (const watch of this.#watches) tell(watch, change);
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) {
      this.#waiting.delete(wake);
      wake();
    }
  }
}

function tell({ place, selector, response }: { place: Place; selector: string | null; response: ServerResponse }, { type, collection, object }: Change): void {
  if (isIn(`${collection}/${object.metadata.name}`, object, place) && selects(selector, object)) response.write(`${JSON.stringify({ type, object })}\n`);
}

function placeOf(path: string): Place {
  const [, root = "", namespace, plural = "", name, status] =
    /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(\/status)?$/.exec(path) ?? [];
  const scope = namespace === undefined ? root : `${root}/namespaces/${namespace}`;
  return { collection: `${scope}/${plural}`, namespace: namespace ?? null, name: name ?? null, status: status !== undefined };
}

/** A collection without a namespace has the objects of all. */
function isIn(key: string, object: StoredObject, { collection, namespace }: Place): boolean {
  const own = key.slice(0, key.lastIndexOf("/"));
  return own === collection || (namespace === null && own === collection.replace(/\/([^/]+)$/, `/namespaces/${object.metadata.namespace}/$1`));
}

function selects(selector: string | null, { metadata }: StoredObject): boolean {
  return (selector ?? "").split(",").filter((term) => term !== "").every((term) => {
    const [label = "", value] = term.split("=", 2);
    return value === undefined ? metadata.labels?.[label] !== undefined : metadata.labels?.[label] === value;
  });
}

function meets(object: StoredObject | undefined, { uid, resourceVersion }: { readonly uid?: string; readonly resourceVersion?: string }): boolean {
  return (uid === undefined || uid === object?.metadata.uid) && (resourceVersion === undefined || resourceVersion === object?.metadata.resourceVersion);
}

function merge(target: unknown, change: unknown): unknown {
  if (typeof change !== "object" || change === null || Array.isArray(change)) return change;
  const merged: Record<string, unknown> = { ...(typeof target === "object" && !Array.isArray(target) ? target : {}) };
  for (const [field, value] of Object.entries(change)) {
    if (value === null) delete merged[field];
    else merged[field] = merge(merged[field], value);
  }
  return merged;
}

function same(one: StoredObject, other: StoredObject): boolean {
  const bare = ({ metadata, ...rest }: StoredObject): string => JSON.stringify([sorted({ ...metadata, resourceVersion: "" }), sorted(rest)]);
  return bare(one) === bare(other);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, inner]) => [name, sorted(inner)]));
}

function without(object: Record<string, unknown>, field: string): Record<string, unknown> {
  const { [field]: _, ...rest } = object;
  return rest;
}

function statusBody(code: number, reason: string): object {
  return { kind: "Status", apiVersion: "v1", code, reason, message: `the server said ${reason}` };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
