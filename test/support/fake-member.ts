import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Members, Status } from "../../src/client/types.ts";
import type { FoundingDocument } from "../../src/controller/members/member-calls.ts";

export interface MemberCall {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Record<string, unknown>;
}

type Voters = FoundingDocument["configuration"]["voters"];

/** As much of a member process as the controller asks, over real HTTP. It takes a founding document, and what a test sets shows in its status. */
export class FakeMember {
  readonly name: string;
  incarnation: string;
  cluster: string | null = null;
  voters: Voters = [];
  role: Status["role"] = "removed";
  leader: { readonly name: string; readonly round: number; readonly incarnation: string } | null = null;
  keys: readonly string[] = [];
  fence: Status["fence"] = null;
  /** What `GET /v1/members` says; made of the status when null. */
  members: Members | null = null;
  /** Calls that change something. */
  readonly calls: MemberCall[] = [];
  /** Whatever a test has a change answered with; null: done; lost: the connection breaks. */
  refuse: (call: MemberCall) => { readonly status: number; readonly code: string } | "lost" | null = () => null;
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  readonly #waiting = new Set<() => void>();
  #eventId = 0;

  constructor(name: string, incarnation: string) {
    this.name = name;
    this.incarnation = incarnation;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(name: string, incarnation: string): Promise<FakeMember> {
    const member = new FakeMember(name, incarnation);
    await new Promise<void>((resolve) => member.#server.listen(0, "127.0.0.1", resolve));
    return member;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get streams(): number {
    return this.#streams.size;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** Resolves once `holds` does; it is looked at again after whatever this member was asked. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  tell(type: string): void {
    const id = ++this.#eventId;
    for (const stream of this.#streams) stream.write(`id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ id, type, member: this.name, timeMs: 0 })}\n\n`);
  }

  endStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "" } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    if (path === "/v1/events") this.#stream(response);
    else if (method === "GET") answer(response, 200, path === "/v1/members" ? (this.members ?? this.#membersByStatus()) : this.#status());
    else this.#change({ method, path, authorization: request.headers.authorization, body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>) }, response);
    for (const wake of [...this.#waiting]) wake();
    this.#waiting.clear();
  }

  #change(call: MemberCall, response: ServerResponse): void {
    this.calls.push(call);
    const refusal = this.refuse(call);
    if (refusal === "lost") return void response.destroy();
    if (refusal !== null) return answer(response, refusal.status, { code: refusal.code, message: "refused by the test" });
    if (call.path === "/v1/founding") {
      const { cluster, configuration } = call.body["founding"] as FoundingDocument;
      [this.cluster, this.voters, this.role] = [cluster, configuration.voters, "follower"];
    }
    answer(response, 200, {});
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("retry: 1000\n\n");
    this.#streams.add(response);
    response.on("close", () => this.#streams.delete(response));
  }

  #status(): Partial<Status> {
    const { name: member, incarnation, cluster, role, fence, keys, leader, voters } = this;
    const ballot = { round: leader?.round ?? 0, member: leader?.name ?? null, incarnation: leader?.incarnation ?? "0".repeat(32) };
    return {
      member, incarnation, cluster, role, fence, keys, leader: leader?.name ?? null, ballot, fenced: fence?.reason ?? null,
      configuration: { voters, learners: [] },
    };
  }

  #membersByStatus(): Members {
    const members = this.voters.map(({ incarnation: id, name, address }) => ({
      id, name, address, role: "voter" as const, leader: id === this.leader?.incarnation, behind: 0, heardMs: 0, caughtUp: true,
    }));
    return { configuration: 0, pending: this.leader === null ? null : false, members, removed: [] };
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
