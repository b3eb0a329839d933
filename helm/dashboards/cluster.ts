import { dashboard } from "./dashboard.ts";
import { bars, figure, heat, lines, states, table } from "./panel.ts";

/** The series of the members of the clusters that were chosen at the top. */
const OF = 'namespace=~"$namespace", app_kubernetes_io_instance=~"$cluster"';

const rate = (metric: string, labels = OF): string => `rate(${metric}{${labels}}[$__rate_interval])`;
const increase = (metric: string): string => `increase(${metric}{${OF}}[$__rate_interval])`;
const quantile = (q: number, metric: string, by: string): string => `histogram_quantile(${q}, sum by (${by}) (${rate(`${metric}_bucket`)}))`;
/** A metric that every Node.js process has, of members only. */
const ofMembers = (series: string): string => `${series} and on (namespace, pod) synod_is_leader{${OF}}`;

const YES_NO = [{ value: 0, text: "no", color: "transparent" }, { value: 1, text: "yes", color: "green" }];
const BAD = [{ value: 0, text: "no", color: "transparent" }, { value: 1, text: "yes", color: "red" }];
const LINK = [{ value: 0, text: "down", color: "red" }, { value: 1, text: "up", color: "green" }];

const overview = {
  title: "Overview", height: 4, width: 4,
  panels: [
    figure("Leader", { expr: `max by (pod) (synod_is_leader{${OF}}) == 1`, legend: "{{pod}}" }, { name: true, description: "Who leads now." }),
    figure("Ready members", { expr: `sum(synod_ready{${OF}})`, legend: "ready" }, { description: "Members that can be sent requests." }),
    figure("Voters", { expr: `max(synod_configuration_voters{${OF}})`, legend: "voters" }, { description: "Voters of the configuration in force." }),
    figure("Voters within reach", { expr: `max(synod_reachable_voters{${OF}})`, legend: "reachable" },
      { description: "As the member sees it that reaches the most. Fewer than a quorum: no write succeeds." }),
    figure("Writes", { expr: `sum(${rate("synod_commands_total", `${OF}, kind=~"put|delete"`)})`, legend: "writes" },
      { unit: "ops", description: "Puts and deletes that were applied." }),
    figure("Commit, 99th percentile", { expr: quantile(0.99, "synod_commit_seconds", "le"), legend: "p99" },
      { unit: "s", description: "Time from proposing a slot to its being chosen." }),
  ],
};

const leadership = {
  title: "Leadership", height: 8, width: 12,
  panels: [
    states("Leader over time", [{ expr: `max by (pod) (synod_is_leader{${OF}})`, legend: "{{pod}}" }], YES_NO, { description: "Which member led when." }),
    table("Members", `max by (pod, role, version) ((synod_role{${OF}} == 1) * on (namespace, pod) group_left (version) synod_build_info{${OF}})`,
      ["pod", "role", "version"], { description: "Each member's role and version now." }),
    lines("Ballots", [{ expr: `max by (pod) (synod_ballot_round{${OF}})`, legend: "{{pod}}" }],
      { description: "Round of the highest ballot that each member knows. It rises by one with each campaign." }),
    bars("Elections", [
      { expr: `sum(${increase("synod_prevotes_started_total")})`, legend: "pre-votes" },
      { expr: `sum(${increase("synod_elections_started_total")})`, legend: "started" },
      { expr: `sum(${increase("synod_elections_won_total")})`, legend: "won" },
      { expr: `sum(${increase("synod_elections_lost_total")})`, legend: "lost" },
    ], { description: "A pre-vote asks whether a campaign would have a chance; a campaign is started, then won or lost." }),
    bars("Leaders that stepped down", [{ expr: `sum by (reason) (${increase("synod_stepdowns_total")})`, legend: "{{reason}}" }],
      { description: "By why. A leader that dies says nothing." }),
    states("Ready", [{ expr: `max by (pod) (synod_ready{${OF}})`, legend: "{{pod}}" }], YES_NO, { description: "Whether each member could be sent requests." }),
  ],
};

const latency = {
  title: "Latency", height: 8, width: 12,
  panels: [
    lines("Commit", [
      { expr: quantile(0.5, "synod_commit_seconds", "le"), legend: "median" },
      { expr: quantile(0.99, "synod_commit_seconds", "le"), legend: "99th percentile" },
      { expr: quantile(0.999, "synod_commit_seconds", "le"), legend: "99.9th percentile" },
    ], { unit: "s", description: "Time from proposing a slot to its being chosen, at the leader." }),
    heat("Commit, spread", `sum by (le) (${increase("synod_commit_seconds_bucket")})`, { description: "How many slots were chosen in what time." }),
    lines("Sync, 99th percentile", [{ expr: quantile(0.99, "synod_fdatasync_seconds", "pod, le"), legend: "{{pod}}" }],
      { unit: "s", description: "Time of one write to the log and its fdatasync. A commit takes at least the median of the quorum's." }),
    lines("Longest turn of the event loop", [{ expr: `max by (pod) (synod_eventloop_longest_turn_seconds{${OF}})`, legend: "{{pod}}" }],
      { unit: "s", description: "Since the last scrape. While it turns nothing else is answered." }),
  ],
};

const throughput = {
  title: "Throughput", height: 8, width: 8,
  panels: [
    lines("Commands", [{ expr: `sum by (kind) (${rate("synod_commands_total")})`, legend: "{{kind}}" }],
      { unit: "ops", description: "Applied at the member that proposed them, by kind." }),
    lines("Reads", [{ expr: `sum by (consistency, outcome) (${rate("synod_reads_total")})`, legend: "{{consistency}} {{outcome}}" }],
      { unit: "ops", description: "By consistency and by how they ended." }),
    lines("Proposals that failed", [{ expr: `sum by (outcome) (${rate("synod_proposals_total", `${OF}, outcome!="chosen"`)})`, legend: "{{outcome}}" }],
      { unit: "ops", description: "Commands proposed at a leader that were not chosen, or whose end is unknown." }),
    lines("Commands per sync", [{
      expr: `sum(${rate("synod_commands_total")}) / sum(${rate("synod_fdatasync_seconds_count")} and on (namespace, pod) synod_is_leader{${OF}} == 1)`,
      legend: "commands per sync",
    }], { description: "How many commands share one sync of the leader's." }),
    lines("Log written", [{ expr: `sum by (pod) (${rate("synod_log_written_bytes_total")})`, legend: "{{pod}}" }],
      { unit: "Bps", description: "Bytes made durable." }),
    lines("Queues", [{ expr: `sum by (pod, queue) (synod_queue_items{${OF}})`, legend: "{{pod}} {{queue}}" }],
      { description: "Items in the bounded queues of each member. What finds one full is refused as busy." }),
  ],
};

const replication = {
  title: "Replication and links", height: 8, width: 8,
  panels: [
    lines("Lag", [{ expr: `max by (peer) (synod_peer_lag_slots{${OF}})`, legend: "{{peer}}" }],
      { description: "Chosen slots that each member does not hold yet, as the leader has heard." }),
    lines("Chosen, not applied", [{ expr: `max by (pod) (synod_chosen_slot{${OF}} - synod_applied_slot{${OF}})`, legend: "{{pod}}" }],
      { description: "Slots that each member knows to be chosen and has not applied yet." }),
    lines("Not chosen yet", [{ expr: `sum by (pod) (synod_unchosen_bytes{${OF}})`, legend: "{{pod}}" }],
      { unit: "bytes", description: "Bytes that the leader proposed and that no quorum has acknowledged." }),
    states("Links", [{ expr: `min by (pod, peer) (synod_peer_link_up{${OF}})`, legend: "{{pod}} to {{peer}}" }], LINK, { description: "One link for each pair, told by both sides." }),
    lines("Sent to peers", [{ expr: `sum by (pod, peer) (${rate("synod_peer_sent_bytes_total")})`, legend: "{{pod}} to {{peer}}" }],
      { unit: "Bps", description: "Bytes of messages." }),
    lines("Waits to be sent", [{ expr: `sum by (pod, peer) (synod_peer_queued_bytes{${OF}})`, legend: "{{pod}} to {{peer}}" }],
      { unit: "bytes", description: "Bytes that the peer or the network did not take yet." }),
    bars("Links made", [{ expr: `sum by (pod, peer) (${increase("synod_peer_connects_total")})`, legend: "{{pod}} to {{peer}}" }],
      { description: "A link that is made again and again does not last." }),
    bars("Messages dropped", [{ expr: `sum by (pod, peer) (${increase("synod_peer_dropped_messages_total")})`, legend: "{{pod}} to {{peer}}" }],
      { description: "To a peer without a link, or that takes too little. They are sent again in some form." }),
    states("Links refused", [{ expr: `max by (pod, peer) (synod_peer_link_refused{${OF}})`, legend: "{{pod}} to {{peer}}" }], BAD,
      { description: "No link since one side refused it: another key or cluster, a removed member, a copied volume." }),
  ],
};

const storage = {
  title: "Storage", height: 8, width: 8,
  panels: [
    lines("Log on disk", [{ expr: `max by (pod) (synod_log_bytes{${OF}})`, legend: "{{pod}}" }], { unit: "bytes", description: "It is cut when a snapshot is taken." }),
    lines("Log since the snapshot", [{ expr: `max by (pod) (synod_log_bytes_since_snapshot{${OF}})`, legend: "{{pod}}" }],
      { unit: "bytes", description: "What a restart reads again. A snapshot is due at 32 MiB, or at the size of the last one." }),
    lines("Snapshot", [{ expr: `max by (pod) (synod_snapshot_bytes{${OF}})`, legend: "{{pod}}" }], { unit: "bytes", description: "Size of the newest snapshot." }),
    lines("State", [
      { expr: `max(synod_keys{${OF}})`, legend: "keys" },
      { expr: `max(synod_sessions{${OF}})`, legend: "sessions" },
      { expr: `max(synod_idempotency_keys{${OF}})`, legend: "idempotency keys" },
    ], { description: "What the replicated state holds." }),
    states("Disk full", [{ expr: `max by (pod) (synod_disk_full{${OF}})`, legend: "{{pod}}" }], BAD, { description: "Only the reserve is left." }),
    states("Fenced", [{ expr: `max by (pod, reason) (synod_fenced{${OF}})`, legend: "{{pod}} {{reason}}" }], BAD,
      { description: "The member neither votes nor serves any more." }),
  ],
};

const processes = {
  title: "Processes", height: 8, width: 8,
  panels: [
    lines("Processor", [{ expr: ofMembers(`max by (namespace, pod) (${rate("process_cpu_seconds_total")})`), legend: "{{pod}}" }],
      { unit: "percentunit", description: "Share of one processor." }),
    lines("Memory", [{ expr: ofMembers(`max by (namespace, pod) (process_resident_memory_bytes{${OF}})`), legend: "{{pod}}" }],
      { unit: "bytes", description: "Resident." }),
    lines("Running for", [{ expr: ofMembers(`time() - max by (namespace, pod) (process_start_time_seconds{${OF}})`), legend: "{{pod}}" }],
      { unit: "s", description: "Since each process started." }),
  ],
};

export const CLUSTER_DASHBOARD = dashboard({
  uid: "synod-cluster",
  title: "Synod / Cluster",
  description: "One Paxos cluster: who leads, how fast it commits, whether its members are well.",
  variables: [
    { name: "namespace", label: "Namespace", query: "label_values(synod_is_leader, namespace)" },
    { name: "cluster", label: "Cluster", query: 'label_values(synod_is_leader{namespace=~"$namespace"}, app_kubernetes_io_instance)' },
  ],
  annotations: [{ name: "Election won", expr: `max by (pod) (increase(synod_elections_won_total{${OF}}[1m])) > 0`, text: "{{pod}}" }],
  sections: [overview, leadership, latency, throughput, replication, storage, processes],
});
