import { describe, expect, it } from "vitest";
import { at } from "../../src/history/at.ts";
import { bringFaults, type Fault, FAULTS, type FaultTarget } from "./faults.ts";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";

/** Keeps to the rules of a local cluster: what is not allowed in a node's state is an error. */
class FakeCluster implements FaultTarget {
  readonly states = new Map(["n1", "n2", "n3"].map((name) => [name, "running"]));
  readonly calls: string[] = [];
  readonly onCall: () => void;

  constructor(onCall: () => void) {
    this.onCall = onCall;
  }

  list(): { name: string; state: string }[] {
    return [...this.states].map(([name, state]) => ({ name, state }));
  }
  kill = (name: string): Promise<void> => this.#change("kill", name, "running", "killed");
  stop = (name: string): Promise<void> => this.#change("stop", name, "running", "stopped");
  pause = (name: string): Promise<void> => this.#change("pause", name, "running", "paused");
  resume = (name: string): Promise<void> => this.#change("resume", name, "paused", "running");
  start = (name: string): Promise<void> => this.#change("start", name, /killed|stopped/, "running");
  waitForLeader = async (): Promise<{ name: string }> => ({ name: "n2" });

  async #change(call: string, name: string, from: string | RegExp, to: string): Promise<void> {
    if (this.states.get(name)?.match(from) === null) throw new Error(`${call} ${name} while ${this.states.get(name)}`);
    this.states.set(name, to);
    this.calls.push(`${call} ${name}`);
    this.onCall();
  }
}

async function callsOf(faults: readonly Fault[], count: number): Promise<FakeCluster> {
  const stop = new AbortController();
  const target: FakeCluster = new FakeCluster(() => {
    if (target.calls.length >= count) stop.abort();
  });
  await bringFaults({ target, faults, random: new SeededRandom(5), signal: stop.signal, report: () => undefined, calmMs: 1, faultMs: 1 });
  return target;
}

describe("faults", () => {
  it("are all made good in the end, whatever they are", async () => {
    const { calls, states } = await callsOf(FAULTS, 101);
    expect([...states.values()]).toEqual(["running", "running", "running"]);
    expect(new Set(calls.map((call) => call.split(" ")[0]))).toEqual(new Set(["kill", "stop", "start", "pause", "resume"]));
    expect(new Set(calls.map((call) => call.split(" ")[1]))).toEqual(new Set(["n1", "n2", "n3"]));
  });

  it("strike one member at a time unless all are killed", async () => {
    const { calls } = await callsOf(["kill"], 20);
    for (let index = 0; index < calls.length; index += 2) {
      expect(calls[index + 1]).toBe(at(calls, index).replace("kill", "start"));
    }
  });

  it("strike the leader more often than another", async () => {
    const { calls } = await callsOf(["pause"], 200);
    expect(calls.filter((call) => call === "pause n2").length).toBeGreaterThan(50);
  });
});
