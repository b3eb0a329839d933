import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type TestCluster, until, withCluster } from "../process/cluster.ts";
import { filesOf } from "../process/flipped-node.ts";
import { call } from "../process/http.ts";
import { underLoad } from "../process/load-run.ts";
import { metricsIn, readDashboard } from "./dashboards.ts";
import { Prometheus } from "./prometheus.ts";
import { readAlerts } from "./rules.ts";
import { findTool } from "./tools.ts";
import { labelsOf, namesOfFiring, Shown } from "./watch.ts";

const PROMETHEUS = findTool("prometheus");

/** A cluster as the chart's PodMonitor would label it. */
const LABELS = { namespace: "test", app_kubernetes_io_instance: "demo" };
const RULES = "cluster.yaml";
const ALERTS = readAlerts(RULES);

async function withPrometheus(cluster: TestCluster, body: (prometheus: Prometheus) => Promise<void>): Promise<void> {
  const targets = cluster.list().map(({ name, url }) => ({ targets: [new URL(url).host], labels: { ...LABELS, pod: name } }));
  const prometheus = await Prometheus.start(PROMETHEUS as string, [{ job_name: "synod", static_configs: targets }], [RULES]);
  try {
    await body(prometheus);
  } finally {
    await prometheus.stop();
  }
}

/** Resolves when exactly these alerts fire. */
function untilFiring(prometheus: Prometheus, wanted: readonly string[]): Promise<void> {
  return until(`these alerts fire: ${wanted.join(", ")}`, async () => {
    const firing = namesOfFiring(await prometheus.firing());
    return firing.join() === [...wanted].sort().join() ? null : firing.join(", ");
  });
}

/** Flips one bit in the middle of what is written in the first segment of the log. */
async function damage(folder: string): Promise<void> {
  const log = (await filesOf(folder)).find(({ file }) => file.endsWith(".log"));
  const path = join(folder, log?.file ?? "");
  const bytes = await readFile(path);
  bytes[600] = (bytes[600] as number) ^ 16;
  await writeFile(path, bytes);
}

it.skipIf(PROMETHEUS === null)("[needs prometheus] every panel shows data of a real cluster under load, and its alerts fire for what they are for", () =>
  withCluster({ nodes: 3, disk: "real" }, (cluster) => withPrometheus(cluster, async (prometheus) => {
    await underLoad(cluster, { name: "monitored", seed: 1, clients: 4 }, async (load) => {
      const shown = new Shown(prometheus, readDashboard("cluster.json"), { namespace: LABELS.namespace, cluster: LABELS.app_kubernetes_io_instance });
      await until("every query of the dashboard has data", async () => {
        const blank = await shown.blankSoFar();
        // An election is seen once there is one.
        return blank.every((title) => title === "Election won") ? null : blank.join(", ");
      });
      for (const { alert, expr } of ALERTS) {
        for (const metric of metricsIn(expr)) {
          const series = await prometheus.query(`{__name__=~"${metric}(_bucket)?"}`);
          expect(series.length, `${alert}: ${metric}`).toBeGreaterThan(0);
        }
      }
      expect(namesOfFiring(await prometheus.firing())).toEqual([]);
      await followsTheLeader(cluster, prometheus, shown, () => load.acknowledged(20));
      await callsForHelp(cluster, prometheus);
    });
  })));

async function followsTheLeader(cluster: TestCluster, prometheus: Prometheus, shown: Shown, progress: () => Promise<void>): Promise<void> {
  const { name: leader } = await cluster.leader();
  expect(labelsOf(await shown.panel("Leader"), "pod")).toEqual([leader]);
  expect(labelsOf(await shown.panel("Lag"), "peer")).toEqual(cluster.names.filter((name) => name !== leader));
  expect((await shown.panel("Links")).map(({ value }) => value)).toEqual([1, 1, 1, 1, 1, 1]);

  await cluster.kill(leader);
  await untilFiring(prometheus, [`SynodMemberDown/${leader}`]);
  await progress();
  const { name: next } = await cluster.leader();
  await until("the dashboard shows the new leader alone", async () => {
    const leaders = labelsOf(await shown.panel("Leader"), "pod");
    return leaders.join() === next ? null : leaders.join(", ");
  });
  await until("the election is marked", async () => {
    const marked = labelsOf(await shown.panel("Election won"), "pod");
    return marked.includes(next) ? null : marked.join(", ");
  });
  await cluster.start(leader);
  await cluster.untilServing(leader);
  await untilFiring(prometheus, []);
}

async function callsForHelp(cluster: TestCluster, prometheus: Prometheus): Promise<void> {
  // Too few voters: one alert for the quorum, and none for the leader that there cannot be.
  const [survivor = "", ...others] = cluster.names;
  await Promise.all(others.map((name) => cluster.kill(name)));
  await untilFiring(prometheus, ["SynodNoQuorum", ...others.map((name) => `SynodMemberDown/${name}`)]);
  await Promise.all(others.map((name) => cluster.start(name)));
  await Promise.all([survivor, ...others].map((name) => cluster.untilServing(name)));
  await untilFiring(prometheus, []);

  // A leadership that goes round.
  for (let transfer = 0; transfer < 8; transfer++) {
    const { url } = await cluster.leader();
    expect((await call(`${url}/v1/leadership/transfer`, { method: "POST" })).status).toBe(200);
  }
  await untilFiring(prometheus, ["SynodLeaderFlapping"]);

  // A damaged log: its member lives, tells why it does not vote, and has no links.
  const { name: leader } = await cluster.leader();
  const [broken = ""] = cluster.names.filter((name) => name !== leader);
  await cluster.kill(broken);
  await damage(cluster.dataFolder(broken));
  await cluster.start(broken);
  await untilFiring(prometheus, ["SynodLeaderFlapping", `SynodMemberDown/${broken}`, `SynodMemberFenced/${broken}`]);
  const fenced = (await prometheus.firing()).find(({ name }) => name === "SynodMemberFenced");
  expect(fenced).toMatchObject({ labels: { reason: "corrupt", severity: "warning" }, annotations: { summary: `Member ${broken} of test/demo has fenced itself: corrupt` } });
}
