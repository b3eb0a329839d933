import { SeededRandom } from "../../../src/scenario/seeded-random.ts";
import type { Summary } from "../../history/summary.ts";
import type { Images } from "../support/images.ts";
import { LoadRun } from "../support/load-run.ts";
import { Place } from "../support/place.ts";
import { Release } from "../support/release.ts";
import type { Target } from "../support/target.ts";
import type { Fault, Need, Stage } from "./fault.ts";
import type { FaultRow } from "./report.ts";
import { runFault } from "./run-fault.ts";

const MEMBERS = 3;
/** Room for a member's log and snapshots, and little more, so that it is soon filled. */
const VOLUME_SIZE = "192Mi";
const START_BOUND_MS = 120_000;

/** One cluster under load that faults are brought upon, one after the other. */
export class ChaosRun {
  readonly rows: FaultRow[] = [];
  readonly place: Place;
  readonly #target: Target;
  readonly #images: Images;
  readonly #stage: Omit<Stage, "heals">;

  private constructor(target: Target, images: Images, place: Place, stage: Omit<Stage, "heals">) {
    this.#target = target;
    this.#images = images;
    this.place = place;
    this.#stage = stage;
  }

  /** Installs a cluster and starts the load. */
  static async start(target: Target, images: Images, seed: number): Promise<ChaosRun> {
    const place = await Place.make(target.api, "chaos");
    const storage = { size: VOLUME_SIZE, ...(target.sizedClass === null ? {} : { storageClassName: target.sizedClass }) };
    // A name that no other cluster has: a drain knows pods by their labels only, whatever their namespace.
    const release = await Release.install(place, { name: place.namespace, image: images.synod, values: { cluster: { replicas: MEMBERS, storage } } });
    const { cluster, controller } = release;
    await cluster.untilFullStrength(START_BOUND_MS);
    const load = await LoadRun.start(target.api, {
      name: "load", namespace: place.namespace, image: images.synod, endpoints: cluster.addresses(MEMBERS), seed,
    });
    const stage: Omit<Stage, "heals"> = {
      cluster, controller, load, random: new SeededRandom(seed),
      secondImage: () => present(images.second, "a second image"),
      node: () => present(target.node, "the node"),
    };
    return new ChaosRun(target, images, place, stage);
  }

  /** Why a fault cannot be brought about on this cluster; null: it can. */
  lacks({ needs }: Fault): string | null {
    return lackOf(needs, this.#target, this.#images);
  }

  async bring(fault: Fault): Promise<FaultRow> {
    const row = await runFault(fault, this.#stage);
    this.rows.push(row);
    return row;
  }

  /** Ends the load, and checks all that its clients saw. */
  end(): Promise<Summary> {
    return this.#stage.load.end();
  }
}

/** Why something cannot be done with a cluster and images like these; null: it can. */
export function lackOf(need: Need | undefined, target: Target, images: Images): string | null {
  switch (need) {
    case undefined:
      return null;
    case "node":
      return target.node === null ? "it needs the machine that is the node" : null;
    case "sized volumes":
      return target.node === null || target.sizedClass === null ? "it needs the machine that is the node, and volumes of a fixed size" : null;
    case "second image":
      return images.second === null ? "it needs a second image, SYNOD_E2E_SECOND_IMAGE" : null;
  }
}

function present<T>(value: T | null, what: string): T {
  if (value === null) throw new Error(`this cluster does not offer ${what}`);
  return value;
}
