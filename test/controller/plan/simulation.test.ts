import { describe, expect, it } from "vitest";
import type { Action } from "../../../src/controller/plan/actions.ts";
import type { Observed } from "../../../src/controller/plan/observed.ts";
import { plan } from "../../../src/controller/plan/plan.ts";
import { ordinalOf, podName } from "../../../src/controller/resource/names.ts";
import { resource } from "./resource.ts";
import { World } from "./world.ts";
import { perform, Refused } from "./world-actions.ts";
import { configure, FAULTS } from "./world-faults.ts";

/** `SYNOD_PLAN_RUNS` and `SYNOD_PLAN_SEED` ask for more, or for one again. */
const RUNS = Number(process.env["SYNOD_PLAN_RUNS"] ?? 80);
const BATCH = 10;
const FIRST_SEED = Number(process.env["SYNOD_PLAN_SEED"] ?? 1);
const TROUBLE_TICKS = 400;
/** Within so many seconds of the last fault a cluster is as its resource says, whatever happened before. */
const CALM_TICKS = 900;

const MEMBER_STEPS: readonly Action["type"][] = ["addLearner", "promote", "removeMember", "transferLeadership", "renewMember", "deletePod", "createBootstrap"];

/** One pass of the controller. Returns how many actions were planned. */
function pass(world: World, observed: Observed, reliability: number): number {
  const { actions, status } = plan(observed);
  const steps = actions.filter(({ type }) => MEMBER_STEPS.includes(type));
  if (steps.length > 1) world.violations.push(`${steps.length} steps in one pass: ${steps.map(({ type }) => type).join(", ")}`);
  if (observed.cluster.spec.pause === true && actions.some(({ type }) => type !== "labelLeader")) world.violations.push("a paused cluster is changed");
  if (status !== null) world.cluster = { ...world.cluster, status };
  try {
    for (const action of actions) {
      if (!world.random.chance(reliability)) break;
      perform(world, action);
      world.checkData();
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  return actions.length;
}

function trouble(world: World): void {
  let former = world.observe();
  world.unreliable = 0.2;
  for (let tick = 0; tick < TROUBLE_TICKS; tick++) {
    if (world.random.chance(0.06)) world.random.pick(FAULTS)(world);
    world.tick();
    world.checkData();
    if (!world.random.chance(0.8)) continue;
    world.stale = world.random.chance(0.1);
    const observed = world.stale ? former : world.observe(world.random.chance(0.5) ? 1 : 0.7);
    pass(world, observed, 0.95);
    former = observed;
  }
  world.stale = false;
  world.unreliable = 0;
}

/** Whether the cluster is what its resource says and the controller has nothing left to do. */
function isSettled(world: World): boolean {
  const { group, name, cluster: { spec: { replicas } } } = world;
  if (group === null || group.pending || group.leader === null) return false;
  const names = group.seats.map((seat) => seat.name).sort((one, other) => (ordinalOf(name, one) ?? 0) - (ordinalOf(name, other) ?? 0));
  const wanted = Array.from({ length: replicas }, (_, ordinal) => podName(name, ordinal));
  return JSON.stringify(names) === JSON.stringify(wanted) && group.seats.every(({ voter }) => voter)
    && world.pods.size === replicas && [...world.pods.values()].every((pod) => pod.ready && pod.revision === world.revision);
}

function calmDown(world: World): void {
  configure(world, { image: "synod:good", pause: false });
  for (let tick = 0; tick < CALM_TICKS; tick++) {
    world.tick();
    world.checkData();
    const planned = pass(world, world.observe(), 1);
    if (planned === 0 && isSettled(world)) break;
  }
}

describe("plans that are carried out again and again", () => {
  const batches = Array.from({ length: Math.ceil(RUNS / BATCH) }, (_, index) => FIRST_SEED + index * BATCH);

  it.each(batches)("lead a cluster through all faults to what its resource says, one step at a time, and forget nothing: seeds from %i on", (first) => {
    for (let seed = first; seed < first + BATCH; seed++) {
      const world = new World(seed, resource({ replicas: seed % 2 === 0 ? 3 : 5 }));
      trouble(world);
      calmDown(world);
      expect(world.violations, `seed ${seed}`).toEqual([]);
      expect(isSettled(world), `seed ${seed} has settled: ${describeWorld(world)}`).toBe(true);
      const { actions, status, notices } = plan(world.observe());
      expect({ actions, status, notices }, `seed ${seed} at rest`).toEqual({ actions: [], status: null, notices: [] });
    }
  });
});

function describeWorld(world: World): string {
  const { actions, status } = plan(world.observe());
  const conditions = (status ?? world.cluster.status)?.conditions?.map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`);
  return JSON.stringify({
    desired: world.cluster.spec.replicas, group: world.group, pods: [...world.pods.values()].map((pod) => ({ ...pod, revision: pod.revision === world.revision })), claims: [...world.claims.values()], actions, conditions,
  }, null, 1);
}
