import { dashboard } from "./dashboard.ts";
import { bars, figure, heat, lines, states, table } from "./panel.ts";

/** The series of the controllers in the namespaces that were chosen at the top. */
const OF = 'namespace=~"$namespace"';

const rate = (metric: string): string => `rate(${metric}{${OF}}[$__rate_interval])`;
const increase = (metric: string): string => `increase(${metric}{${OF}}[$__rate_interval])`;
const duration = (q: number): string => `histogram_quantile(${q}, sum by (le) (${rate("synod_controller_reconcile_seconds_bucket")}))`;
/** A metric that every Node.js process has, of controllers only. */
const ofControllers = (series: string): string => `${series} and on (namespace, pod) synod_controller_lease_held{${OF}}`;

const YES_NO = [{ value: 0, text: "no", color: "transparent" }, { value: 1, text: "yes", color: "green" }];

const overview = {
  title: "Overview", height: 4, width: 4,
  panels: [
    figure("At work", { expr: `max by (pod) (synod_controller_lease_held{${OF}}) == 1`, legend: "{{pod}}" }, { name: true, description: "The instance that holds the Lease." }),
    figure("Clusters", { expr: `max(synod_controller_clusters{${OF}})`, legend: "clusters" }, { description: "PaxosClusters that it keeps." }),
    figure("Waiting", { expr: `sum(synod_controller_queue_depth{${OF}})`, legend: "waiting" }, { description: "Clusters that wait for a pass." }),
    figure("Members followed", { expr: `sum(synod_controller_event_streams{${OF}})`, legend: "streams" }, { description: "Members whose events are followed: what the notices of leaders are fed by." }),
    figure("Errors, last hour", { expr: `sum(increase(synod_controller_errors_total{${OF}}[1h]))`, legend: "errors" }, { description: "By whatever part met them." }),
    figure("Changes of leaders, last hour", { expr: `sum(increase(synod_controller_leader_changes_total{${OF}}[1h]))`, legend: "changes" }, { description: "That members told, in all clusters." }),
  ],
};

const work = {
  title: "Work", height: 8, width: 12,
  panels: [
    states("At work over time", [{ expr: `max by (pod) (synod_controller_lease_held{${OF}})`, legend: "{{pod}}" }], YES_NO, { description: "Which instance held the Lease when." }),
    lines("Queue", [
      { expr: `sum by (pod) (synod_controller_queue_depth{${OF}})`, legend: "{{pod}} waiting" },
      { expr: `sum by (pod) (synod_controller_working{${OF}})`, legend: "{{pod}} under way" },
    ], { description: "Clusters that wait for a pass, and passes under way." }),
    lines("Passes", [{ expr: `sum by (outcome) (${rate("synod_controller_reconciles_total")})`, legend: "{{outcome}}" }],
      { unit: "ops", description: "By how they ended." }),
    bars("Errors", [{ expr: `sum by (where) (${increase("synod_controller_errors_total")})`, legend: "{{where}}" }], { description: "By the part that met them." }),
    bars("Steps", [{ expr: `sum by (action, outcome) (${increase("synod_controller_actions_total")})`, legend: "{{action}} {{outcome}}" }],
      { description: "What was done to clusters. A healthy cluster needs nothing." }),
    lines("Event streams", [{ expr: `sum by (pod) (synod_controller_event_streams{${OF}})`, legend: "{{pod}}" }], { description: "Members whose events are followed." }),
    lines("Requests to the API server", [{ expr: `sum by (verb, kind) (${rate("synod_controller_api_requests_total")})`, legend: "{{verb}} {{kind}}" }],
      { unit: "reqps", description: "A healthy cluster costs reads now and then, and no writes but the Lease's." }),
    lines("Duration of a pass", [
      { expr: duration(0.5), legend: "median" },
      { expr: duration(0.99), legend: "99th percentile" },
    ], { unit: "s", description: "From observing to the status written." }),
    heat("Duration of a pass, spread", `sum by (le) (${increase("synod_controller_reconcile_seconds_bucket")})`, { description: "How many passes took what time." }),
  ],
};

const clusters = {
  title: "Clusters", height: 8, width: 12,
  panels: [
    table("Members", `max by (paxos_namespace, paxos_cluster) (synod_controller_members_ready{${OF}})`, ["paxos_namespace", "paxos_cluster", "Value"],
      { description: "Ready members of each cluster now." }),
    lines("Members that are missing", [{
      expr: `max by (paxos_namespace, paxos_cluster) (synod_controller_members_desired{${OF}}) - max by (paxos_namespace, paxos_cluster) (synod_controller_members_ready{${OF}})`,
      legend: "{{paxos_namespace}}/{{paxos_cluster}}",
    }], { description: "Asked for, and not ready." }),
    bars("Changes of leaders", [{ expr: `sum(${increase("synod_controller_leader_changes_total")})`, legend: "changes" }], { description: "That members told, and that the notice boards show." }),
  ],
};

const processes = {
  title: "Processes", height: 8, width: 8,
  panels: [
    lines("Processor", [{ expr: ofControllers(`max by (namespace, pod) (${rate("process_cpu_seconds_total")})`), legend: "{{pod}}" }],
      { unit: "percentunit", description: "Share of one processor." }),
    lines("Memory", [{ expr: ofControllers(`max by (namespace, pod) (process_resident_memory_bytes{${OF}})`), legend: "{{pod}}" }],
      { unit: "bytes", description: "Resident." }),
    lines("Running for", [{ expr: ofControllers(`time() - max by (namespace, pod) (process_start_time_seconds{${OF}})`), legend: "{{pod}}" }],
      { unit: "s", description: "Since each process started." }),
  ],
};

export const CONTROLLER_DASHBOARD = dashboard({
  uid: "synod-controller",
  title: "Synod / Controller",
  description: "The controller: what waits, how its passes end and how long they take, what it fails at.",
  variables: [{ name: "namespace", label: "Namespace", query: "label_values(synod_controller_lease_held, namespace)" }],
  annotations: [],
  sections: [overview, work, clusters, processes],
});
