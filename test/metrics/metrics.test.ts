import { describe, expect, it, onTestFinished } from "vitest";
import { MemberMetrics } from "../../src/metrics/metrics.ts";
import type { MemberSample } from "../../src/metrics/sample.ts";
import { slot } from "../../src/paxos/ids.ts";
import { ballot, peer, SAMPLE } from "./sample.ts";

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
    expect(await lines()).toEqual(expect.arrayContaining([
      "synod_ready 1", "synod_state_diverged 0", "synod_configuration_voters 3", "synod_configuration_quorum 2", "synod_reachable_voters 2",
      'synod_peer_lag_slots{peer="m2"} 7', 'synod_peer_sent_bytes_total{peer="m2"} 99', 'synod_peer_link_refused{peer="m3"} 1',
      `synod_build_info{version="1.2.3",node_version="${process.version}"} 1`,
      `synod_member_info{member="m1",incarnation="${ballot.incarnation}",cluster="${"c".repeat(32)}"} 1`,
    ]));
    sample = { ...SAMPLE, role: "follower", peers: [peer("m4")] };
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
    metrics.paxosEvent({ type: "preVoteStarted" });
    metrics.paxosEvent({ type: "steppedDown", ballot, reason: "quorumLost" });
    metrics.paxosEvent({ type: "leaderChanged", leader: null, ballot });
    metrics.paxosEvent({ type: "leaderChanged", leader: ballot.incarnation, ballot });
    expect(await lines()).toEqual(expect.arrayContaining([
      "synod_elections_started_total 2", "synod_elections_won_total 1", "synod_elections_lost_total 1", "synod_leader_changes_total 1",
      "synod_prevotes_started_total 1", 'synod_stepdowns_total{reason="quorumLost"} 1', 'synod_stepdowns_total{reason="transferred"} 0',
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

  it("count commands by kind where they were proposed, and what the log wrote", async () => {
    const { metrics, lines } = metricsOf();
    metrics.commandsApplied([{ type: "written" }, { type: "written" }, { type: "sessionOpened" }]);
    metrics.synced({ seconds: 0.001, records: 3, bytes: 512 });
    metrics.synced({ seconds: 0.001, records: 1, bytes: 100 });
    expect(await lines()).toEqual(expect.arrayContaining([
      'synod_commands_total{kind="put"} 2', 'synod_commands_total{kind="session"} 1', 'synod_commands_total{kind="delete"} 0',
      "synod_log_records_total 4", "synod_log_written_bytes_total 612",
    ]));
  });

  it("have histograms that resolve a tenth of a millisecond", async () => {
    const { metrics, lines } = metricsOf();
    metrics.committed(0.00015);
    metrics.synced({ seconds: 0.00005, records: 3, bytes: 512 });
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
