import { PEER_CODEC } from "../../src/node/peer-codec.ts";
import { slot } from "../../src/paxos/ids.ts";
import { expect, it } from "vitest";
import { scenarioConfiguration } from "../../src/scenario/names.ts";
import { Clients } from "../../src/sim/clients.ts";
import { Machine } from "../../src/sim/machine.ts";
import { Network } from "../../src/sim/network.ts";
import { settle } from "../../src/sim/settle.ts";
import type { Watch } from "../../src/sim/watch.ts";
import { World } from "../../src/sim/world.ts";
import { put } from "../state/helpers.ts";

const QUIET = { latencyMs: 0.2, jitterMs: 0.2, loss: 0, repetition: 0, reordering: 0, lateness: 0 };

/** Three members under load whose states may differ, and what they warned of. */
function cluster(seed: number, snapshotBytes: number) {
  const world = new World(seed, settle);
  const warnings: string[] = [];
  // The usual watch would end the run at the first difference.
  const watch = new Proxy({}, {
    get: (_, what) => what === "warning" ? (machine: number, message: string) => void warnings.push(`${machine}: ${message}`) : () => {},
  }) as Watch;
  const founding = { cluster: "c".repeat(32), configuration: scenarioConfiguration(3), configurationSlot: slot(0) };
  const machines: Machine[] = [1, 2, 3].map((number) => new Machine(number, 1, founding, {
    world, network: () => network, watch, limits: {}, segmentBytes: 65_536, snapshotBytes, syncMs: () => 0.5, callMs: () => 0, codec: () => PEER_CODEC, isRemembered: () => false,
  }));
  const network = new Network(world, () => QUIET, machines);
  const clients = new Clients({ world, machines: () => machines, plan: { clients: 6, keys: 3, pauseMs: 30, sessionPauseMs: 30, patienceMs: 10_000 } });
  for (const machine of machines) machine.start();
  clients.start();
  return { world, machines, warnings };
}

it.each([[1, 1_000_000], [2, 1_000_000], [3, 5_000]])(
  "a member whose state differs stops serving and takes the majority's (member %i, a snapshot every %i bytes)", async (number, snapshotBytes) => {
    const { world, machines, warnings } = cluster(number, snapshotBytes);
    await world.run(5_000);
    const { member } = machines[number - 1] as Machine;
    expect(member?.refusal).toBeNull();
    member?.state.apply(member.appliedSlot, put("nobody else", "has this"));
    let refused = false;
    await world.run(15_000, () => (refused ||= member?.refusal?.code === "SYNOD_ERR_DIVERGED"));
    expect(refused).toBe(true);
    expect(warnings.filter((line) => line.startsWith(`${number}: The states of the members differ`))).not.toEqual([]);
    await world.run(world.nowMs + 10_000, () => member?.refusal === null);
    expect(member?.refusal).toBeNull();
    await world.run(world.nowMs + 3_000);
    const same = machines.filter((machine) => machine.member?.state.get(new TextEncoder().encode("nobody else")) === null);
    expect(same).toHaveLength(3);
  });
