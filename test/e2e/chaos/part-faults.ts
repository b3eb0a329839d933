import { setTimeout as pause } from "node:timers/promises";
import { killAll } from "../support/kill.ts";
import { until } from "../support/until.ts";
import type { Fault } from "./fault.ts";

const API_SERVER_DOWN_MS = 10_000;

export const PART_FAULTS: readonly Fault[] = [
  {
    name: "kill the API server, and the leader's process while it is down",
    needs: "node",
    boundMs: 90_000,
    usualMs: 35_000,
    maxGapMs: 15_000,
    async inject({ cluster, node, heals }) {
      const leader = await cluster.leader();
      const restarts = (): number => cluster.pod(leader).status?.containerStatuses?.[0]?.restartCount ?? 0;
      const before = restarts();
      const processes = await node().processesOf(cluster.namespace, leader);
      heals(async () => {
        await node().start("apiserver");
        await until("the API server answers", 60_000, async () => (await cluster.kubectl("get", "--raw", "/readyz")) === "ok" ? null : "it does not");
        await cluster.view.until(`${leader} was started again`, 60_000, () => restarts() > before ? null : "it was not");
      });
      await node().stop("apiserver");
      // The kubelet starts the container again without asking anybody.
      killAll(processes);
      await pause(API_SERVER_DOWN_MS);
    },
  },
  {
    name: "stop the kubelet until its node is not ready",
    needs: "node",
    boundMs: 120_000,
    usualMs: 90_000,
    maxGapMs: 5_000,
    async inject({ cluster, load, node, heals }) {
      const [pod] = cluster.pods;
      const host = `node/${pod?.spec?.nodeName}`;
      heals(async () => {
        await node().start("kubelet");
        await cluster.kubectl("wait", host, "--for=condition=Ready", "--timeout=90s");
      });
      await node().stop("kubelet");
      await cluster.kubectl("wait", host, "--for=condition=Ready=Unknown", "--timeout=120s");
      await load.acknowledged(20, 10_000);
    },
  },
];
