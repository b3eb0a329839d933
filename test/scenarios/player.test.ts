import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Player, playScenario } from "../../src/scenario/player.ts";

const failureOf = (text: string): string | undefined => playScenario(text).failure?.message;

describe("a script", () => {
  it.each([
    ["cluster 3\ncampaing 1", "line 2: campaing is not a command"],
    ["campaign 1", "line 1: the script must begin with `cluster N`"],
    ["cluster 3\ncluster 3", "line 2: there is a cluster already"],
    ["cluster 12", "line 1: a cluster has 1 to 9 members"],
    ["cluster 3\ncampaign x", "line 2: x is not a member"],
    ["cluster 3\ndeliver prepair", "line 2: prepair is not a kind of message"],
    ["cluster 3\nrun 10 20", "line 2: 20 is left over"],
    ["cluster 3\nrepeat 3\nrun", "line 2: repeat without end"],
    ["cluster 3\nend", "line 2: end without repeat"],
    ["cluster 3\n\n# a comment\nexpect leader 1", "line 4: expected something else: nobody serves"],
    ["cluster 3\ncrash 1\ncampaign 1", "line 3: InvariantError: member 1 is down"],
    ["cluster 3\nrun until leader 3 within 0", "line 2: not so within 0 ms: nobody serves"],
  ])("%j fails with its line and the reason", (text, message) => {
    expect(failureOf(text)).toBe(message);
  });

  it("that nobody can read never throws and never hangs", () => {
    const word = fc.constantFrom("cluster", "3", "run", "1", "2", "deliver", "propose", "a", "tick", "100", "expect", "leader", "=", "drop", "hold",
      "crash", "restart", "repeat", "end", "link", "up", "down", "1>2", "partition", "1|2,3", "all", "read", "snapshot", "#", "\n", "sync", "disk", "manual");
    fc.assert(fc.property(fc.array(word, { maxLength: 60 }), (words) => {
      playScenario(`cluster 3\n${words.join(" ").replaceAll(" \n ", "\n")}`);
    }), { numRuns: 300 });
  });

  it("plays the same every time, and another way with another seed", () => {
    const play = (seed: number): string => playScenario(`cluster 5 seed=${seed}\nshow heartbeats\nrun 2000\nstatus`).trace.slice(1).join("\n");
    expect(play(1)).toBe(play(1));
    expect(play(1)).not.toBe(play(2));
  });

  it("can be stopped between two commands, and its stage looked at", () => {
    const player = new Player("# about\ncluster 3\ncampaign 1\nrun\npropose 1 x");
    for (let commands = 0; commands < 4; commands++) player.step();
    expect(player.done).toBe(false);
    expect(player.stage.cluster.member(1).status()).toMatchObject({ role: "leader", ready: true });
    expect(player.script.about).toEqual(["about"]);
  });
});
