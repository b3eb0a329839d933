import { describe, expect, it } from "vitest";
import { leaderNews } from "../../src/node/event-names.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import { ballot, LoneCore, members } from "../paxos/lone-core.ts";
import { slot } from "../../src/paxos/ids.ts";

const CLUSTER = "c".repeat(32);
const configuration = { ...members([]), voters: [1, 2].map((number) => ({ incarnation: memberIncarnation(number), name: `m${number}`, address: `h${number}:1` })) };

describe("news of a leader", () => {
  it("names it, where it is, and the ballot by which news are ordered", () => {
    expect(leaderNews(CLUSTER, configuration, memberIncarnation(2), ballot(4, 2))).toEqual({
      cluster: CLUSTER, leader: "m2", leaderIncarnation: memberIncarnation(2), address: "h2:1", ballot: { round: 4, member: "m2", incarnation: memberIncarnation(2) },
    });
  });

  it("names none where none is followed", () => {
    expect(leaderNews(null, configuration, null, ballot(4, 2))).toMatchObject({ cluster: null, leader: null, leaderIncarnation: null, address: null });
  });

  it("does not name the old leader under a candidate's ballot", () => {
    expect(leaderNews(CLUSTER, configuration, memberIncarnation(2), ballot(5, 1))).toMatchObject({ leader: null, ballot: { round: 5, member: "m1" } });
  });

  it("names one that the configuration does not know by its incarnation", () => {
    expect(leaderNews(CLUSTER, configuration, memberIncarnation(7), ballot(5, 7))).toMatchObject({ leader: memberIncarnation(7), address: null });
  });

  it("comes of a follower again when the same leader goes on at a higher ballot", () => {
    const lone = new LoneCore();
    const leaders = () => lone.events.flatMap((event) => (event.type === "leaderChanged" ? [event] : []));
    for (const [round, nonce] of [[1, 1], [1, 2], [3, 3], [3, 4]] as const) {
      lone.receive(2, { type: "heartbeat", ballot: ballot(round, 2), nonce, chosenThrough: slot(0) });
    }
    expect(leaders()).toEqual([1, 3].map((round) => ({ type: "leaderChanged", leader: memberIncarnation(2), ballot: ballot(round, 2) })));
  });
});
