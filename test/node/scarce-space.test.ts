import { expect, it, onTestFinished } from "vitest";
import { Member, type MemberObserver } from "../../src/node/member.ts";
import { decodePeerMessage, encodePeerMessage } from "../../src/node/peer-messages.ts";
import { ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { slot } from "../../src/paxos/ids.ts";
import type { LogRecord } from "../../src/paxos/records.ts";
import { encodeValue } from "../../src/paxos/value.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import { StateMachine } from "../../src/state/state-machine.ts";
import type { Storage } from "../../src/storage/interface.ts";
import { del, put } from "../state/helpers.ts";

const [SELF, LEADER] = [memberIncarnation(1), memberIncarnation(2)];
const BALLOT = { round: 1, incarnation: LEADER };
const voters = [1, 2, 3].map((number) => ({ incarnation: memberIncarnation(number), name: `m${number}`, address: "" }));
const FOUNDING = { cluster: "c".repeat(32), configuration: { voters, learners: [], removed: [] }, configurationSlot: slot(0) };
const OBSERVER: MemberObserver = {
  event: () => {}, proposalsEnded: () => {}, committed: () => {}, turnEnded: () => {}, dropped: () => {}, diskSpace: () => {}, fenced: () => {},
  warning: (message, error) => { throw new Error(message, { cause: error }); },
};

/** A follower with storage that only notes what is appended to it, and what it told its leader of its disk. */
function follower(scarce: boolean) {
  const records: LogRecord[] = [];
  const told: unknown[] = [];
  const storage: Storage = {
    identity: { member: "m1", incarnation: SELF },
    founding: FOUNDING,
    recovered: { promised: ZERO_BALLOT, ownRound: 0, snapshot: null, entries: [], chosenThrough: slot(0) },
    saveFounding: async () => {},
    append: (more) => void records.push(...more),
    writeSnapshot: async () => {},
    openSnapshot: async () => null,
    stats: () => ({ logBytes: 0, segments: 1, records: 41, bytesSinceSnapshot: 0, snapshotBytes: 0, syncs: 0, waitingBytes: 0, full: true, scarce }),
    close: async () => {},
  };
  const member = new Member({
    storage, founding: FOUNDING, state: new StateMachine(), nonceSeed: 1, observer: OBSERVER,
    links: {
      send: (_to, bytes) => {
        const message = decodePeerMessage(bytes);
        if (message.type === "disk") told.push(message);
        return true;
      },
      flush: () => {},
      setPeers: () => {},
    },
    clock: { nowMs: () => 0, random: () => 0.5, defer: (task) => queueMicrotask(task), every: () => () => {} },
  });
  onTestFinished(() => member.stop());
  member.linkUp(LEADER, 1);
  member.diskSpace(true);
  const receive = async (firstSlot: number, command: Uint8Array): Promise<string[]> => {
    const value = encodeValue({ kind: "commands", origin: BALLOT, commands: [command] });
    const message = { type: "accept" as const, ballot: BALLOT, firstSlot: slot(firstSlot), values: [value], chosenThrough: slot(0) };
    member.receive(LEADER, encodePeerMessage({ type: "paxos", message }));
    await new Promise((resolve) => setImmediate(resolve));
    return records.splice(0).map(({ type }) => type);
  };
  return { member, told, receive };
}

it("a follower whose disk is full takes what its leader proposed, as long as its space is not scarce", async () => {
  const { receive } = follower(false);
  expect(await receive(1, put("k", "v"))).toContain("accepted");
});

it("a follower with scarce space takes what makes the state grow for lost, and keeps what does not", async () => {
  const { receive } = follower(true);
  expect(await receive(1, put("k", "v"))).toEqual([]);
  expect(await receive(1, del("k"))).toContain("accepted");
});

it("a member tells its peers at once that its disk is full, and how many records it holds", () => {
  const { told } = follower(false);
  expect(told.at(-1)).toEqual({ type: "disk", records: 41, full: true });
});
