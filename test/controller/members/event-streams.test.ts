import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EventStreams, type FollowedPod } from "../../../src/controller/members/event-streams.ts";
import { FakeMember } from "../../support/fake-member.ts";
import { ManualClock } from "../../support/manual-clock.ts";

describe("following members' events", () => {
  let member: FakeMember;
  let clock: ManualClock;
  let streams: EventStreams;
  let told: string[];
  let waiting: (() => void)[];
  beforeEach(async () => {
    member = await FakeMember.start("x-0", "1".repeat(32));
    clock = new ManualClock();
    [told, waiting] = [[], []];
    streams = new EventStreams({
      clock, urlOf: () => member.url,
      onTold: ({ uid }) => {
        told.push(uid);
        for (const wake of waiting.splice(0)) wake();
      },
    });
  });
  afterEach(async () => {
    streams.stop();
    await member.close();
  });

  const pod = (uid: string, ip = "10.0.0.1"): FollowedPod => ({ key: "n/x", name: "x-0", uid, ip });
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => waiting.push(resolve));
  }

  it("tells when a stream opens and when a leader may have changed, and not of everything", async () => {
    streams.follow(pod("a"));
    await until(() => told.length === 1);
    member.tell("promiseGiven");
    member.tell("leaderChanged");
    await until(() => told.length === 2);
    member.tell("electionWon");
    await until(() => told.length === 3);
    expect(streams.open).toBe(1);
  });

  it("connects again after the stream broke, and tells, as it may have missed something", async () => {
    streams.follow(pod("a"));
    await until(() => told.length === 1);
    member.endStreams();
    await clock.scheduled();
    expect(streams.open).toBe(0);
    clock.advance(100);
    await until(() => told.length === 2);
  });

  it("tries again later and later, within a bound, while nobody answers", async () => {
    const { url } = member;
    await member.close();
    streams = new EventStreams({ clock, urlOf: () => url, onTold: ({ uid }) => told.push(uid) });
    streams.follow(pod("a"));
    const pauses: (number | null)[] = [];
    for (let attempt = 0; attempt < 7; attempt++) {
      await clock.scheduled();
      pauses.push(clock.nextMs);
      clock.advance(2_000);
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000]);
    member = await FakeMember.start("x-0", "1".repeat(32));
  });

  it("follows one stream for each pod, and another when its address changes", async () => {
    streams.follow(pod("a"));
    streams.follow(pod("a"));
    await until(() => told.length === 1);
    expect(member.streams).toBe(1);
    streams.follow(pod("a", "10.0.0.2"));
    await until(() => told.length === 2);
    while (streams.open > 1) await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual(["a", "a"]);
  });

  it("ends with the pod", async () => {
    streams.follow(pod("a"));
    await until(() => told.length === 1);
    streams.unfollow("a");
    while (member.streams > 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(60_000);
    expect(told).toEqual(["a"]);
  });
});
