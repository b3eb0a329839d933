import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import type { MemberEntry } from "../../src/client/types.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import type { ErrorCode } from "../../src/errors/table.ts";
import type { LocalNode } from "../../src/local/local-cluster.ts";
import { joinCluster, leaveCluster } from "../../src/local/membership.ts";
import { MembershipCalls } from "../../src/local/membership-calls.ts";
import { persist } from "../../src/local/persist.ts";

interface Answer {
  readonly status?: number;
  readonly body: unknown;
  /** The connection breaks instead. */
  readonly lost?: boolean;
}

const member = (fields: Partial<MemberEntry>): MemberEntry =>
  ({ id: "1".repeat(32), name: "n4", address: "h:4", role: "learner", leader: false, behind: 9, heardMs: 1, caughtUp: true, ...fields });
const listing = (...members: readonly MemberEntry[]): Answer => ({ body: { configuration: 7, pending: false, members, removed: [], added: "1".repeat(32) } });
const refusal = (code: string, status = 409): Answer => ({ status, body: { code, message: `it is ${code}` } });

/** A member that gives these answers one after the other, the last one again and again, and notes what it is asked. */
async function serving(...answers: readonly Answer[]): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = (await buffer(request)).toString();
    const { status = 200, body: told, lost = false } = answers[Math.min(asked.length, answers.length - 1)] ?? { body: null };
    asked.push(`${request.method} ${request.url} ${body}`.trim());
    if (lost) return void request.socket.destroy();
    response.writeHead(status).end(JSON.stringify(told));
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe("membership calls", () => {
  it("say what is wanted, and under what condition", async () => {
    const { url, asked } = await serving(listing(member({})));
    const calls = new MembershipCalls(() => url);
    await calls.members();
    await calls.add("h:4");
    await calls.add("h:4", { configuration: 7, force: true });
    await calls.promote("n4", { replaces: "n3", configuration: 0 });
    await calls.remove("n 4");
    await calls.remove("n4", { configuration: 7, force: true });
    await calls.transferLeadership("n2");
    expect(asked).toEqual([
      "GET /v1/members", 'POST /v1/members {"address":"h:4"}', 'POST /v1/members {"address":"h:4","configuration":7,"force":true}',
      'POST /v1/members/n4/promote {"configuration":0,"replaces":"n3"}', "DELETE /v1/members/n%204?", "DELETE /v1/members/n4?configuration=7&force=true",
      "POST /v1/members/n2/transfer-leadership {}",
    ]);
  });

  it("know a newcomer from the lost member at the same address", async () => {
    const { url } = await serving(listing(member({ id: "2".repeat(32), role: "voter" }), member({})));
    expect((await new MembershipCalls(() => url).add("h:4")).id).toBe("1".repeat(32));
  });

  it("know a newcomer whose address is written in another way", async () => {
    const { url } = await serving(listing(member({ id: "2".repeat(32), role: "voter" }), member({ address: "localhost:4" })));
    expect((await new MembershipCalls(() => url).add("127.0.0.1:4")).id).toBe("1".repeat(32));
  });

  it("promote a learner once it has caught up, and again when it fell behind meanwhile", async () => {
    const lagging = listing(member({ caughtUp: false }));
    const { url, asked } = await serving(lagging, lagging, listing(member({})), refusal("SYNOD_ERR_LEARNER_LAGS"), listing(member({})), listing(member({ role: "voter" })));
    const { members } = await new MembershipCalls(() => url).promoteWhenCaughtUp(member({}), { waitMs: 60_000, replaces: "2".repeat(32), force: true });
    expect(members[0]?.role).toBe("voter");
    const promotion = `POST /v1/members/${"1".repeat(32)}/promote {"force":true,"replaces":"${"2".repeat(32)}"}`;
    expect(asked.filter((line) => line.startsWith("POST"))).toEqual([promotion, promotion]);
    expect(asked).toHaveLength(6);
  });

  it("give a learner up that lags for too long, and one that was removed", async () => {
    const lagging = await serving(listing(member({ caughtUp: false })));
    await expect(new MembershipCalls(() => lagging.url).promoteWhenCaughtUp(member({}), { waitMs: 0 })).rejects.toMatchObject({
      code: "SYNOD_ERR_LEARNER_LAGS", message: "n4 is still 9 slots behind after 0 ms.",
    });
    const gone = await serving(listing());
    await expect(new MembershipCalls(() => gone.url).promoteWhenCaughtUp(member({}), { waitMs: 60_000 })).rejects.toMatchObject({ code: "SYNOD_ERR_NO_SUCH_MEMBER" });
  });

  it("take a learner for removed only where a leader's list, and the latest, lacks it", async () => {
    const old = (pending: boolean | null, configuration: number): Answer => ({ body: { configuration, pending, members: [], removed: [] } });
    const voter = listing(member({ role: "voter" }));
    const { url, asked } = await serving(listing(member({})), old(null, 7), old(false, 6), listing(member({})), voter);
    const calls = new MembershipCalls(() => url);
    await calls.add("h:4");
    await calls.promoteWhenCaughtUp(member({}), { waitMs: 60_000 });
    expect(asked.map((line) => line.split(" ", 1)[0])).toEqual(["POST", "GET", "GET", "GET", "POST"]);
    const unknown = await serving(old(null, 7));
    await expect(new MembershipCalls(() => unknown.url).promoteWhenCaughtUp(member({}), { waitMs: 0 })).rejects.toMatchObject({ code: "SYNOD_ERR_NO_LEADER" });
  });

  it.each(["SYNOD_ERR_LEFT", "SYNOD_ERR_FENCED"])("turn at once from a node that says %s to another, and ask it no more", async (code) => {
    const gone = await serving(refusal(code, 503));
    const staying = await serving(listing(member({})));
    const node = (name: string, url: string): LocalNode => ({ name, pid: 1, url, state: "running" });
    const nodes = [node("n1", gone.url), node("n2", staying.url), node("n4", "http://h:4")];
    const task = { reachable: () => nodes, signal: new AbortController().signal };
    await joinCluster({ ...task, node: node("n4", "http://h:4") });
    expect([gone.asked, staying.asked.length]).toEqual([['POST /v1/members {"address":"h:4"}'], 3]);
    // With no other left, the one that is to leave is asked itself.
    const self = node("n4", staying.url);
    await leaveCluster({ reachable: () => [node("n1", gone.url), self], signal: task.signal, node: self, force: false });
    expect([gone.asked.length, staying.asked.length]).toEqual([2, 5]);
  });

  it("are made once without patience, and with patience again, elsewhere, after what may pass", async () => {
    const { url, asked } = await serving(refusal("SYNOD_ERR_NO_LEADER", 503), refusal("SYNOD_ERR_CHANGE_UNKNOWN", 504), refusal("SYNOD_ERR_CHANGE_PENDING"), listing());
    await expect(new MembershipCalls(() => url).remove("n4")).rejects.toMatchObject({ code: "SYNOD_ERR_NO_LEADER" });
    const endpoints = ["http://127.0.0.1:1", url];
    await new MembershipCalls(() => endpoints.shift() ?? url, { patience: { forMs: 60_000 } }).remove("n4");
    expect(asked).toHaveLength(4);
  });

  it("may be made again when their answers are lost, but for a renewal", async () => {
    const { url } = await serving({ ...listing(), lost: true });
    const calls = new MembershipCalls(() => url);
    for (const change of [() => calls.add("h:4"), () => calls.promote("n4"), () => calls.remove("n4"), () => calls.transferLeadership("n4")]) {
      await expect(change()).rejects.toMatchObject({ code: "SYNOD_ERR_CHANGE_UNKNOWN" });
    }
    await expect(calls.renew("1".repeat(32))).rejects.toMatchObject({ code: "SYNOD_ERR_OUTCOME_UNKNOWN" });
  });

  it("find the id of a member by its name, and leave to the members what they do not find", async () => {
    const [one, other] = [member({ role: "voter" }), member({ id: "2".repeat(32) })];
    const { url } = await serving(listing(one), listing(one, other), listing(one, other), listing(one));
    const calls = new MembershipCalls(() => url);
    expect(await calls.idOf("n4")).toBe(one.id);
    expect(await calls.idOf("n4", "learner")).toBe(other.id);
    expect([await calls.idOf("n4"), await calls.idOf("n5"), await calls.idOf("3".repeat(32))]).toEqual(["n4", "n5", "3".repeat(32)]);
  });

  it("take no name for an id by what one member remembers: another may have the name by now", async () => {
    const { url } = await serving({ body: { configuration: 7, pending: null, members: [member({})], removed: [] } });
    await expect(new MembershipCalls(() => url).idOf("n4")).rejects.toMatchObject({ code: "SYNOD_ERR_NO_LEADER" });
  });

  it("are not made again after a refusal that stays", async () => {
    const { url, asked } = await serving(refusal("SYNOD_ERR_LAST_VOTER"), listing());
    await expect(new MembershipCalls(() => url, { patience: { forMs: 60_000 } }).remove("n4")).rejects.toMatchObject({ code: "SYNOD_ERR_LAST_VOTER" });
    expect(asked).toHaveLength(1);
  });
});

describe("patience", () => {
  const failing = (...codes: readonly ErrorCode[]): { attempt: () => Promise<never>; made: () => number } => {
    let made = 0;
    const attempt = (): Promise<never> => Promise.reject(new SynodError(codes[Math.min(made++, codes.length - 1)] ?? "SYNOD_ERR_INTERNAL"));
    return { attempt, made: () => made };
  };

  it("ends with the last failure when time is up, and at once when all is being shut down", async () => {
    const { attempt, made } = failing("SYNOD_ERR_NO_LEADER");
    await expect(persist({ forMs: 150 }, attempt)).rejects.toMatchObject({ code: "SYNOD_ERR_NO_LEADER" });
    expect(made()).toBeGreaterThan(1);
    await expect(persist({ forMs: 60_000, signal: AbortSignal.abort() }, attempt)).rejects.toMatchObject({ code: "SYNOD_ERR_STOPPING" });
  });

  it("does not end with a failure that changed nothing behind one that may have", async () => {
    await expect(persist({ forMs: 250 }, failing("SYNOD_ERR_CHANGE_UNKNOWN", "SYNOD_ERR_NO_LEADER").attempt)).rejects.toMatchObject({ code: "SYNOD_ERR_CHANGE_UNKNOWN" });
    await expect(persist({ forMs: 60_000 }, failing("SYNOD_ERR_CHANGE_UNKNOWN", "SYNOD_ERR_LAST_VOTER").attempt)).rejects.toMatchObject({ code: "SYNOD_ERR_LAST_VOTER" });
  });

  it("that is only for doubt makes again what may have been done, and says so once", async () => {
    const doubts: string[] = [];
    const patience = { forMs: 60_000, onDoubt: ({ code }: SynodError) => void doubts.push(code) };
    for (const code of ["SYNOD_ERR_NO_LEADER", "SYNOD_ERR_OUTCOME_UNKNOWN"] as const) {
      const once = failing(code);
      await expect(persist(patience, once.attempt)).rejects.toMatchObject({ code });
      expect(once.made()).toBe(1);
    }
    let made = 0;
    const codes: ErrorCode[] = ["SYNOD_ERR_CHANGE_UNKNOWN", "SYNOD_ERR_NO_LEADER", "SYNOD_ERR_CHANGE_UNKNOWN"];
    const attempt = async (): Promise<number> => {
      const code = codes[made++];
      if (code !== undefined) throw new SynodError(code);
      return made;
    };
    expect([await persist(patience, attempt), doubts]).toEqual([4, ["SYNOD_ERR_CHANGE_UNKNOWN"]]);
  });
});
