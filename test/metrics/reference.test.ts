import { readFileSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { ControllerMetrics } from "../../src/controller/metrics.ts";
import { MemberMetrics } from "../../src/metrics/metrics.ts";
import { documentedFamilies, familiesOf, type MetricFamily } from "../support/metric-families.ts";
import { peer, SAMPLE } from "./sample.ts";

const DOCUMENTED = documentedFamilies(readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8"));

/** The families of a member that has used every label. */
async function memberFamilies(): Promise<MetricFamily[]> {
  const metrics = new MemberMetrics(() => ({ ...SAMPLE, peers: [peer("m2", { lagSlots: 1 })] }));
  onTestFinished(() => metrics.close());
  metrics.messagesDropped("paxos");
  return [...familiesOf((await metrics.scrape()).text).values()];
}

/** The same of a controller. */
async function controllerFamilies(): Promise<MetricFamily[]> {
  const cluster = {
    metadata: { name: "demo", namespace: "apps", uid: "u", generation: 1 }, spec: { replicas: 3, image: "synod:1", storage: { size: "1Gi" } },
  };
  const metrics = new ControllerMetrics(() => ({ clusters: [cluster], queueDepth: 0, working: 0, leaseHeld: true, eventStreams: 0 }));
  onTestFinished(() => metrics.close());
  metrics.actionEnded("apply", "done");
  metrics.requested("get", "Pod");
  return [...familiesOf((await metrics.scrape()).text).values()];
}

/** What prom-client tells of a process, whose labels appear only once there is something to tell. */
const isOurs = ({ name }: MetricFamily): boolean => name.startsWith("synod_");
const byName = (one: MetricFamily, other: MetricFamily): number => (one.name < other.name ? -1 : 1);

describe("docs/metrics.md", () => {
  it("lists every metric once, with its type and labels, and no other", async () => {
    const exposed = [...(await memberFamilies()), ...(await controllerFamilies())].filter(isOurs).sort(byName);
    expect(DOCUMENTED.filter(isOurs).sort(byName)).toEqual(exposed);
  });

  it.skipIf(process.platform !== "linux")("lists what the process tells", async () => {
    const names = (await memberFamilies()).filter((family) => !isOurs(family)).map(({ name, type }) => `${name} ${type}`);
    expect(DOCUMENTED.filter((family) => !isOurs(family)).map(({ name, type }) => `${name} ${type}`).sort()).toEqual(names.sort());
  });

  it("keeps to Prometheus' conventions: counters end in _total, times are seconds, sizes bytes", () => {
    for (const { name, type } of DOCUMENTED.filter(isOurs)) {
      expect(name, name).toMatch(/^synod_[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith("_total"), name).toBe(type === "counter");
      expect(name, name).not.toMatch(/_(ms|milliseconds|kb|mb|millis)(_|$)/);
    }
  });
});
