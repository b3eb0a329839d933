import { describe, expect, it, onTestFinished } from "vitest";
import { type MemberSample, MemberMetrics } from "../../src/metrics/metrics.ts";
import { incarnation, slot } from "../../src/paxos/ids.ts";

const ballot = { round: 4, incarnation: incarnation("a".repeat(32)) };

const SAMPLE: MemberSample = {
  ballotRound: 4, role: "leader", fence: null, diskFull: false, chosenSlot: 12, appliedSlot: 11, revision: 9, logBytes: 4096,
  peers: [{ name: "m2", up: true }, { name: "m3", up: false }], queues: { proposals: 3 },
};

function metricsOf(sample: () => MemberSample = () => SAMPLE): { metrics: MemberMetrics; lines: () => Promise<string[]> } {
  const metrics = new MemberMetrics(sample);
  onTestFinished(() => metrics.close());
  return { metrics, lines: async () => (await metrics.scrape()).text.split("\n") };
}

describe("a member's metrics", () => {
  it("tell what a sample says at the time of the scrape", async () => {
    let sample = SAMPLE;
    const { lines } = metricsOf(() => sample);
    expect(await lines()).toEqual(expect.arrayContaining([
      "synod_ballot_round 4", "synod_is_leader 1", 'synod_role{role="leader"} 1', 'synod_role{role="follower"} 0',
      "synod_chosen_slot 12", "synod_applied_slot 11", "synod_revision 9", "synod_log_bytes 4096",
      'synod_peer_link_up{peer="m2"} 1', 'synod_peer_link_up{peer="m3"} 0', 'synod_queue_items{queue="proposals"} 3',
    ]));
    sample = { ...SAMPLE, role: "follower", peers: [{ name: "m4", up: true }] };
    const later = await lines();
    expect(later).toEqual(expect.arrayContaining(["synod_is_leader 0", 'synod_peer_link_up{peer="m4"} 1']));
    expect(later.join("\n")).not.toContain('peer="m2"');
  });

  it("count elections and changes of leader", async () => {
    const { metrics, lines } = metricsOf();
    metrics.paxosEvent({ type: "campaignStarted", ballot });
    metrics.paxosEvent({ type: "campaignStarted", ballot });
    metrics.paxosEvent({ type: "electionWon", ballot, fromSlot: slot(1) });
    metrics.paxosEvent({ type: "electionLost", ballot, reason: "timeout" });
    metrics.paxosEvent({ type: "leaderChanged", leader: null, ballot });
    metrics.paxosEvent({ type: "leaderChanged", leader: ballot.incarnation, ballot });
    expect(await lines()).toEqual(expect.arrayContaining([
      "synod_elections_started_total 2", "synod_elections_won_total 1", "synod_elections_lost_total 1", "synod_leader_changes_total 1",
    ]));
  });

  it("count proposals, reads and drops by how they ended, from zero on, and do not start again at a scrape", async () => {
    const { metrics, lines } = metricsOf();
    expect(await lines()).toEqual(expect.arrayContaining([
      'synod_proposals_total{outcome="chosen"} 0', 'synod_reads_total{consistency="local",outcome="failed"} 0',
    ]));
    for (let scrape = 1; scrape <= 2; scrape++) {
      metrics.proposalsEnded("chosen", 10);
      metrics.readsEnded("linearizable", "ok");
      metrics.messagesDropped("queue full", 2);
      expect(await lines()).toEqual(expect.arrayContaining([
        `synod_proposals_total{outcome="chosen"} ${scrape * 10}`,
        `synod_reads_total{consistency="linearizable",outcome="ok"} ${scrape}`,
        `synod_dropped_messages_total{reason="queue full"} ${scrape * 2}`,
      ]));
    }
  });

  it("have histograms that resolve a tenth of a millisecond", async () => {
    const { metrics, lines } = metricsOf();
    metrics.committed(0.00015);
    metrics.synced(0.00005);
    metrics.turnEnded(0.25);
    expect(await lines()).toEqual(expect.arrayContaining([
      'synod_commit_seconds_bucket{le="0.0001"} 0', 'synod_commit_seconds_bucket{le="0.0002"} 1',
      'synod_fdatasync_seconds_bucket{le="0.0001"} 1', 'synod_eventloop_turn_seconds_bucket{le="0.5"} 1',
    ]));
  });

  it("tell the longest turn since the scrape before", async () => {
    const { metrics, lines } = metricsOf();
    const longest = async (): Promise<number> => {
      const line = (await lines()).find((text) => text.startsWith("synod_eventloop_longest_turn_seconds "));
      return Number(line?.split(" ")[1]);
    };
    metrics.turnEnded(300);
    metrics.turnEnded(0.001);
    expect(await longest()).toBe(300);
    expect(await longest()).toBeLessThan(300);
  });

  it("are each member's own, and come with those of the process", async () => {
    const first = metricsOf();
    const second = metricsOf(() => ({ ...SAMPLE, revision: 77 }));
    expect(await first.lines()).toContain("synod_revision 9");
    expect(await second.lines()).toContain("synod_revision 77");
    expect((await first.lines()).join("\n")).toContain("process_resident_memory_bytes");
  });
});
