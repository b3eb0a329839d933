import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodePeerMessage } from "../../src/node/peer-messages.ts";
import { ballotsEqual } from "../../src/paxos/ballot.ts";
import type { Incarnation } from "../../src/paxos/ids.ts";
import type { Message } from "../../src/paxos/messages.ts";
import { DEFAULT_LIMITS } from "../../src/transport/limits.ts";
import { MessageAssembler } from "../../src/transport/message-assembler.ts";
import { fileWith, type TestCluster, withCluster } from "./cluster.ts";
import { type DurableRecord, durableRecords, promises } from "./durable-records.ts";
import { put } from "./http.ts";
import { answeredRevisions, type Sent, sentStreams, webSocketMessages } from "./sent-stream.ts";
import { isComplete, parseTrace, STRACE_WRAPPER, type SystemCall, whyNoStrace } from "./strace.ts";

/** What one member did, as its system calls show it. */
interface Traced {
  readonly name: string;
  readonly incarnation: Incarnation;
  readonly calls: readonly SystemCall[];
}

interface Findings {
  readonly violations: string[];
  /** How many acks of each kind were looked at. */
  readonly checked: Map<string, number>;
}

const HELLOS = 1;

/** The protocol's messages that a member sent to its peers. */
function sentMessages(calls: readonly SystemCall[]): Sent<Message>[] {
  return sentStreams(calls).flatMap((stream) => {
    const assembler = new MessageAssembler(DEFAULT_LIMITS.messageBytes);
    return webSocketMessages(stream).slice(HELLOS).flatMap(({ what, first }) =>
      assembler.read(what).map(decodePeerMessage).flatMap((message) => (message.type === "paxos" ? [{ what: message.message, first }] : [])));
  });
}

/** Whether every record that a message vouches for was durable before its first byte left; null: it vouches for none (rule 5). */
function isCovered({ what: message, first }: Sent<Message>, durable: readonly DurableRecord[]): boolean | null {
  const before = durable.filter(({ sync }) => sync.returned < first.began).map(({ record }) => record);
  switch (message.type) {
    case "accepted": {
      const atBallot = before.filter((record) => record.type === "accepted").filter(({ ballot }) => ballotsEqual(ballot, message.ballot));
      const slots = new Set(atBallot.map(({ slot }) => slot));
      for (let slot = message.from; slot <= message.through; slot++) if (!slots.has(slot)) return false;
      return true;
    }
    case "promise":
    case "promiseNeedsSnapshot":
      return before.some((record) => promises(record, message.ballot));
    case "prepare":
      return before.some((record) => record.type === "campaign" && ballotsEqual(record.ballot, message.ballot));
    default:
      return null;
  }
}

/** Looks at every ack that left a member, to a peer or to a client. `values` are those of the writes that were answered, by revision. */
function check(members: readonly Traced[], values: ReadonlyMap<number, string>): Findings {
  const findings: Findings = { violations: [], checked: new Map() };
  const note = (kind: string, isRight: boolean, violation: () => string): void => {
    findings.checked.set(kind, (findings.checked.get(kind) ?? 0) + 1);
    if (!isRight) findings.violations.push(violation());
  };
  const durable = members.map(({ calls, incarnation }) => durableRecords(calls, incarnation));
  members.forEach(({ name, calls }, index) => {
    for (const sent of sentMessages(calls)) {
      const covered = isCovered(sent, durable[index] ?? []);
      if (covered === null) continue;
      note(sent.what.type, covered, () => `line ${sent.first.began} of ${name}: ${JSON.stringify(sent.what)} left before its record was synced`);
    }
    for (const { what: revision, first } of sentStreams(calls).flatMap(answeredRevisions)) {
      const value = values.get(revision);
      if (value === undefined) continue;
      const holders = durable.filter((records) => records.some(({ record, sync }) =>
        sync.returnedAt < first.beganAt && record.type === "accepted" && Buffer.from(record.value).includes(value)));
      const isChosen = holders.length > members.length / 2;
      note("answer", isChosen, () => `line ${first.began} of ${name}: ${value} was acknowledged when ${holders.length} members had synced it`);
    }
  });
  return findings;
}

/** Concurrent writes through every running member. Their values are found again in the traces. */
async function writeThroughAll(cluster: TestCluster, values: Map<number, string>, part: string): Promise<void> {
  await Promise.all(cluster.reachable().flatMap(({ name, url }) => [1, 2, 3].map(async (client) => {
    for (let number = 0; number < 8; number++) {
      const value = `<${part} ${name} ${client} ${number}>`;
      const { status, revision, body } = await put(url, `k${number}`, value);
      expect(status, body).toBe(200);
      values.set(revision ?? 0, value);
    }
  })));
}

async function stopAndRead(cluster: TestCluster, names: readonly string[]): Promise<Traced[]> {
  return Promise.all(names.map(async (name) => {
    const { pid } = cluster.node(name);
    const { incarnation } = await cluster.status(name);
    await cluster.stop(name);
    const trace = await fileWith(join(cluster.folder, `${pid}.trace`), "its end", (text) => isComplete(text, pid ?? 0));
    return { name, incarnation: incarnation as Incarnation, calls: parseTrace(trace) };
  }));
}

const obstacle = whyNoStrace();

describe.skipIf(obstacle !== null)(`a trace of all system calls${obstacle === null ? "" : ` (skipped, as ${obstacle})`}`, () => {
  it.each([1, 3])("shows, with %i members, that no ack leaves before the fdatasync that covers its record has returned", (nodes) =>
    withCluster({ nodes, disk: "real", wrapper: STRACE_WRAPPER }, async (cluster) => {
      const values = new Map<number, string>();
      await writeThroughAll(cluster, values, "all run");
      // With one follower gone every acknowledgement needs the leader's own sync as well as the other follower's.
      const { name: leader } = await cluster.leader();
      const follower = cluster.names.find((name) => name !== leader);
      const early = follower === undefined ? [] : await stopAndRead(cluster, [follower]);
      await writeThroughAll(cluster, values, "one is gone");
      const late = await stopAndRead(cluster, cluster.names.filter((name) => name !== follower));
      const members = [...early, ...late];

      const { violations, checked } = check(members, values);
      expect(violations).toEqual([]);
      expect(checked.get("answer")).toBe(values.size);
      const kinds = nodes === 1 ? [] : (["prepare", "promise", "accepted"] as const);
      for (const kind of kinds) expect(checked.get(kind), kind).toBeGreaterThan(0);

      // The same traces with every sync returning too late must be found wrong, each ack of them.
      const unsynced = members.map((member) => ({ ...member, calls: member.calls.map(returningLate) }));
      const found = check(unsynced, values);
      expect(found.checked).toEqual(checked);
      expect(found.violations).toHaveLength([...checked.values()].reduce((sum, count) => sum + count, 0));
    }), 180_000);
});

function returningLate(call: SystemCall): SystemCall {
  return call.name.endsWith("sync") ? { ...call, returned: Infinity, returnedAt: Infinity } : call;
}
