import { ControllerUnderTest } from "./controller-under-test.ts";
import { CHART, helm, imageValues } from "./helm.ts";
import { PaxosUnderTest } from "./paxos-under-test.ts";
import type { Place } from "./place.ts";

export interface ReleaseOptions {
  /** Default "demo". */
  readonly name?: string;
  readonly image: string;
  /** A folder; the repository's chart by default. */
  readonly chart?: string;
  readonly values?: Readonly<Record<string, unknown>>;
  /** Further options of `helm install`. */
  readonly options?: readonly string[];
}

/** One release of the chart in a namespace, with the cluster that it brings. */
export class Release {
  readonly name: string;
  readonly place: Place;
  readonly cluster: PaxosUnderTest;
  readonly controller: ControllerUnderTest;
  readonly image: string;

  private constructor(place: Place, name: string, image: string) {
    this.place = place;
    this.name = name;
    this.image = image;
    // The chart names what it makes after the release and itself, unless the one contains the other.
    const fullName = name.includes("synod") ? name : `${name}-synod`;
    this.cluster = new PaxosUnderTest(place.api, place.view, place.namespace, fullName);
    this.controller = new ControllerUnderTest(place.view, place.namespace, name);
  }

  /** Installs it. Resolves when helm has ended, which waits for the chart's job and not for the cluster. */
  static async install(place: Place, { name = "synod", image, chart = CHART, values = {}, options = [] }: ReleaseOptions): Promise<Release> {
    await helm(["install", name, chart, "-n", place.namespace, ...options], { ...imageValues(image), ...values });
    return new Release(place, name, image);
  }

  async upgrade(values: Readonly<Record<string, unknown>>, chart = CHART): Promise<void> {
    await helm(["upgrade", this.name, chart, "-n", this.place.namespace], { ...imageValues(this.image), ...values });
  }

  async rollback(): Promise<void> {
    await helm(["rollback", this.name, "-n", this.place.namespace]);
  }

  async uninstall(): Promise<void> {
    await helm(["uninstall", this.name, "-n", this.place.namespace]);
  }
}
