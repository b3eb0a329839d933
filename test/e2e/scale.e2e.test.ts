import { beforeAll, describe, expect, test } from "vitest";
import { podName } from "../../src/controller/resource/names.ts";
import { freeze } from "./support/freeze.ts";
import { Keys } from "./support/keys.ts";
import { Release } from "./support/release.ts";
import { scene } from "./support/scene.ts";

const SCALE_BOUND_MS = 120_000;

describe("growing and shrinking", () => {
  const here = scene("scale");
  let release: Release;

  beforeAll(async () => {
    const { images, place } = here();
    release = await Release.install(place, { image: images.synod, values: { cluster: { replicas: 1 } } });
    await release.cluster.untilFullStrength(SCALE_BOUND_MS);
  });

  const scale = async (replicas: number): Promise<void> => {
    await release.cluster.scale(replicas);
    await release.cluster.untilFullStrength(SCALE_BOUND_MS);
  };

  const incarnations = (): readonly string[] => release.cluster.resource.status?.members?.map(({ incarnation }) => incarnation) ?? [];

  test("1, 3, 1, 3: a volume that comes back is a new member's, and one member alone has no disruption budget to block drains", async () => {
    const { cluster } = release;
    const keys = new Keys(cluster);
    expect(cluster.view.budgets.named(cluster.names.podDisruptionBudget)).toBeNull();
    await keys.put("size", "one");
    await scale(3);
    const first = incarnations();
    expect(cluster.view.budgets.named(cluster.names.podDisruptionBudget)?.spec?.maxUnavailable).toBe(1);
    await scale(1);
    expect(cluster.view.budgets.named(cluster.names.podDisruptionBudget)).toBeNull();
    expect(cluster.view.claims.all).toHaveLength(3);
    await scale(3);
    const second = incarnations();
    expect(second.filter((incarnation) => first.includes(incarnation))).toEqual([first[0]]);
    expect(await keys.get("size")).toBe("one");
  });

  test("5 to 3 with members 0 and 1 dead is refused with an Event and a condition, and done once they are back", async ({ skip }) => {
    const { node } = here().target;
    if (node === null) return skip("it needs the machine that is the node");
    const { cluster } = release;
    await scale(5);
    const frozen = await Promise.all([0, 1].map((ordinal) => node.processesOf(cluster.namespace, podName(cluster.name, ordinal))));
    const thaw = freeze(frozen.flat());
    try {
      await cluster.view.until("both are missed", 60_000, () => cluster.resource.status?.readyReplicas === 3 ? null : `${cluster.resource.status?.readyReplicas} are ready`);
      await cluster.scale(3);
      await cluster.view.until("the refusal is told", 60_000, () => {
        const told = (["Progressing", "Degraded", "Ready"] as const).map((type) => cluster.condition(type)?.reason);
        return told.includes("ShrinkRefused") ? null : `the reasons are ${told.join(", ")}`;
      });
      const events = await cluster.kubectl("get", "events", "--field-selector", `involvedObject.name=${cluster.name},type=Warning`, "-o", "jsonpath={.items[*].reason}");
      expect(events.split(" ")).toContain("ShrinkRefused");
      expect(cluster.resource.status?.members).toHaveLength(5);
      expect(cluster.pods).toHaveLength(5);
    } finally {
      thaw();
    }
    await cluster.untilFullStrength(SCALE_BOUND_MS);
    expect(cluster.resource.status?.members).toHaveLength(3);
  });
});
