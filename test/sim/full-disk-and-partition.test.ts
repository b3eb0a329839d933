import { expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { PEER_CODEC } from "../../src/node/peer-codec.ts";
import { slot } from "../../src/paxos/ids.ts";
import { memberIncarnation, scenarioConfiguration } from "../../src/scenario/names.ts";
import { Clients } from "../../src/sim/clients.ts";
import { Machine } from "../../src/sim/machine.ts";
import { Network } from "../../src/sim/network.ts";
import type { Way } from "../../src/sim/partitions.ts";
import { settle } from "../../src/sim/settle.ts";
import type { Watch } from "../../src/sim/watch.ts";
import { World } from "../../src/sim/world.ts";
import { del, put } from "../state/helpers.ts";

const QUIET = { latencyMs: 0.2, jitterMs: 0.2, loss: 0, repetition: 0, reordering: 0, lateness: 0 };
const TAKE_ROOM_MS = 50;
/** Who reaches whom: neighbours only. */
const CHAIN = [2, 3, 5, 4, 1];

/** Five members under load, of which `leader` leads; then `ways` are cut and the disk of `full` has no room any more. */
async function cluster(leader: number, full: number, ways: readonly Way[]) {
  const world = new World(leader, settle);
  const watch = new Proxy({}, { get: () => () => {} }) as Watch;
  const founding = { cluster: "c".repeat(32), configuration: scenarioConfiguration(5), configurationSlot: slot(0) };
  const machines: Machine[] = [1, 2, 3, 4, 5].map((number) => new Machine(number, 1, founding, {
    world, network: () => network, watch, limits: {}, segmentBytes: 65_536, snapshotBytes: 1_000_000, syncMs: () => 0.5, callMs: () => 0, codec: () => PEER_CODEC, isRemembered: () => false,
  }));
  const network = new Network(world, () => QUIET, machines);
  const clients = new Clients({ world, machines: () => machines, plan: { clients: 6, keys: 3, pauseMs: 30, sessionPauseMs: 30, patienceMs: 3_000 } });
  for (const machine of machines) machine.start();
  clients.start();
  const machineOf = (number: number): Machine => machines[number - 1] as Machine;
  await world.run(2_000);
  for (const { member } of machines) member?.transferLeadership(memberIncarnation(leader));
  await world.run(world.nowMs + 1_000);
  expect(machineOf(leader).member?.leads).toBe(true);
  network.cut(ways);
  const takeRoom = (): void => {
    machineOf(full).full = true;
    world.after(TAKE_ROOM_MS, takeRoom);
  };
  takeRoom();
  return { world, clients, machineOf };
}

const chained = CHAIN.flatMap((from, place) => CHAIN.filter((_, other) => Math.abs(other - place) > 1).map((to): Way => [from, to]));

it.each([[5, "reaches the full disk and counts on it"], [3, "has the full disk itself, and no link with the only member that could do better"]])(
  "a leader (%i) that %s leaves leadership to the one that reaches a quorum with room", async (leader) => {
    const { world, clients, machineOf } = await cluster(leader, 3, chained);
    await world.run(world.nowMs + 30_000, () => machineOf(4).member?.leads === true);
    expect(machineOf(4).member?.leads).toBe(true);
    const sinceMs = world.nowMs;
    await world.run(world.nowMs + 5_000);
    expect(machineOf(4).member?.leads).toBe(true);
    expect(clients.newestAcknowledgedMs).toBeGreaterThan(sinceMs);
  });

it("a leader whose quorum needs a full disk stays where nobody could do better: it refuses what makes the state grow, and deletes go on", async () => {
  const apart = [1, 2].flatMap((gone) => [3, 4, 5].flatMap((left): Way[] => [[gone, left], [left, gone]]));
  const { world, machineOf } = await cluster(5, 3, apart);
  const leader = machineOf(5).member;
  const ask = async (command: Uint8Array): Promise<string> => {
    let said = "nothing";
    leader?.write(command, (outcome) => (said = outcome instanceof SynodError ? outcome.code : outcome.type));
    await world.run(world.nowMs + 500);
    return said;
  };
  await world.run(world.nowMs + 20_000, () => machineOf(3).member?.diskFull === true);
  await world.run(world.nowMs + 3_000);
  const { ballot } = leader?.status() ?? {};
  for (let second = 0; second < 30; second++) {
    expect([await ask(put("k", "v")), await ask(del("k"))]).toEqual(["SYNOD_ERR_NO_SPACE", "deleted"]);
  }
  expect(leader?.status()).toMatchObject({ role: "leader", ballot });
});
