import type { KubernetesObject } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { desiredObjects } from "../../../src/controller/manifests/desired-objects.ts";
import { describeUpdate } from "../../../src/controller/reconcile/describe-update.ts";
import type { PaxosClusterSpec } from "../../../src/controller/resource/paxos-cluster.ts";
import { applied, resource } from "../plan/resource.ts";

const setOf = (spec: Partial<PaxosClusterSpec>): KubernetesObject => {
  const set = desiredObjects(resource(spec), spec.replicas ?? 3).find(({ kind }) => kind === "StatefulSet");
  if (set === undefined) throw new Error("there is no StatefulSet");
  return set;
};
/** From one spec to another. */
const update = (before: Partial<PaxosClusterSpec>, after: Partial<PaxosClusterSpec>, managed: object | null = null): string => {
  const live = applied(setOf(before), "uid");
  if (managed !== null) live.metadata = { ...live.metadata, managedFields: [{ manager: "synod-controller", operation: "Apply", fieldsV1: managed }] };
  return describeUpdate(setOf(after), live);
};

describe("an update of an object is told", () => {
  it.each<[string, Partial<PaxosClusterSpec>, Partial<PaxosClusterSpec>, string]>([
    ["the image", { image: "synod:1" }, { image: "synod:2" }, "spec.template.spec.containers[synod].image synod:1 → synod:2"],
    ["the size", { replicas: 3 }, { replicas: 5 }, "spec.replicas 3 → 5"],
    ["an argument", { logLevel: "info" }, { logLevel: "debug" }, "spec.template.spec.containers[synod].args[12] info → debug"],
    ["an amount, however it is written", { resources: { limits: { cpu: "1000m", memory: "1Gi" } } }, { resources: { limits: { cpu: "1", memory: "2Gi" } } }, "spec.template.spec.containers[synod].resources.limits.memory 1Gi → 2Gi"],
    ["a field that was not there", {}, { priorityClassName: "high" }, "spec.template.spec.priorityClassName high"],
    ["a map that was not there", {}, { nodeSelector: { disk: "ssd" } }, "spec.template.spec.nodeSelector added"],
    ["a list of another length", {}, { timings: { heartbeatMs: 50 } }, "spec.template.spec.containers[synod].args"],
    ["a name with dots", { podAnnotations: { "a.b/c": "1" } }, { podAnnotations: { "a.b/c": "2" } }, "spec.template.metadata.annotations[a.b/c] 1 → 2"],
    ["nothing that has a name", { image: "synod:1" }, { image: "synod:1" }, ""],
  ])("by what changed: %s", (_, before, after, told) => {
    expect(update(before, after)).toBe(told);
  });

  it("by what was taken out, where the API server says that it was ours", () => {
    const podSpec = { "f:nodeSelector": {}, "f:containers": { 'k:{"name":"synod"}': { ".": {}, "f:image": {}, "f:tty": {} }, 'k:{"name":"old"}': { ".": {} } } };
    const managed = { "f:spec": { "f:replicas": {}, "f:template": { "f:spec": podSpec } } };
    expect(update({ nodeSelector: { disk: "ssd" } }, {}, managed)).toBe(
      "spec.template.spec.nodeSelector removed, spec.template.spec.containers[synod].tty removed, spec.template.spec.containers[old] removed",
    );
  });

  it("by no more fields and no longer values than fit into an Event", () => {
    const many = (value: string): Partial<PaxosClusterSpec> => ({ podAnnotations: Object.fromEntries(["a", "b", "c", "d", "e", "f", "g"].map((name) => [name, value.repeat(300)])) });
    const told = update(many("x"), many("y"));
    expect(told).toMatch(/^spec\.template\.metadata\.annotations\.a x{119}… → y{119}…, /);
    expect(told).toMatch(/annotations\.b x+… → y+…, 5 more$/);
    expect(told.length).toBeLessThan(1_000);
  });
});
