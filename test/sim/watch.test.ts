import { describe, expect, it } from "vitest";
import { type Ballot, ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { slot } from "../../src/paxos/ids.ts";
import { DEFAULT_LIMITS } from "../../src/paxos/interface.ts";
import type { Message } from "../../src/paxos/messages.ts";
import type { RecoveredState } from "../../src/paxos/records.ts";
import { scenarioConfiguration } from "../../src/scenario/names.ts";
import { Watch } from "../../src/sim/watch.ts";
import { ballot, commands } from "../paxos/lone-core.ts";

const CONFIGURATION = scenarioConfiguration(3);
const LEARNED = { slot: slot(1), ballot: ZERO_BALLOT, value: commands("a"), learned: true } as const;
const HANDLE = { slot: slot(1), configuration: CONFIGURATION, configurationSlot: slot(0), leaderBallot: ballot(1, 1), promised: ballot(2, 1), cluster: "c".repeat(32), checksum: 0 };

/** A watch that saw member 3 start with this on its disk. It never campaigned. */
function started(state: Partial<RecoveredState>): Watch {
  const watch = new Watch(CONFIGURATION, DEFAULT_LIMITS, () => {});
  watch.recovered(3, { promised: ZERO_BALLOT, ownRound: 0, snapshot: null, entries: [LEARNED], chosenThrough: slot(1), ...state });
  return watch;
}

function promise(at: Ballot): Message {
  return { type: "promise", ballot: at, fromSlot: slot(2), entries: [], nextSlot: null, chosenThrough: slot(1) };
}

describe("what a member that starts may promise at once", () => {
  it("is what its log promised, also when it accepted nothing and never campaigned", () => {
    started({ promised: ballot(2, 1) }).leaves(3, promise(ballot(2, 1)));
    expect(() => started({ promised: ballot(2, 1) }).leaves(3, promise(ballot(3, 1)))).toThrow("before that was durable");
  });

  it("is what its snapshot promised", () => {
    started({ snapshot: HANDLE, entries: [] }).leaves(3, promise(ballot(2, 1)));
    expect(() => started({ snapshot: HANDLE, entries: [] }).leaves(3, promise(ballot(3, 1)))).toThrow("before that was durable");
  });
});
