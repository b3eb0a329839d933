import type { V1Pod } from "@kubernetes/client-node";
import { kubectl } from "./kubectl.ts";
import { isReady } from "./paxos-under-test.ts";
import type { View } from "./view.ts";

/** The labels of the controller's pods; the release's name is the instance. */
const COMPONENT = "app.kubernetes.io/component";
const INSTANCE = "app.kubernetes.io/instance";

/** The controller of one release. */
export class ControllerUnderTest {
  readonly namespace: string;
  readonly #view: View;
  readonly #release: string;

  constructor(view: View, namespace: string, release: string) {
    this.#view = view;
    this.namespace = namespace;
    this.#release = release;
  }

  get pods(): readonly V1Pod[] {
    return this.#view.pods.all.filter(({ metadata }) => metadata?.labels?.[COMPONENT] === "controller" && metadata.labels[INSTANCE] === this.#release);
  }

  get podNames(): readonly string[] {
    return this.pods.map(({ metadata }) => metadata?.name ?? "");
  }

  /** Kills every replica without a chance to say goodbye, and resolves when others are to take their place. */
  async kill(): Promise<void> {
    const names = this.podNames;
    await kubectl(["-n", this.namespace, "delete", "pod", ...names, "--force", "--grace-period=0", "--wait=false"]);
    await this.#view.until("the controller's pods are gone", 60_000, () =>
      this.podNames.some((name) => names.includes(name)) ? `there are ${this.podNames.join(", ")}` : null);
  }

  async untilReady(boundMs: number): Promise<number> {
    return this.#view.until("the controller is ready", boundMs, () =>
      this.pods.length > 0 && this.pods.every(isReady) ? null : `there are ${this.podNames.join(", ") || "none"}`);
  }
}
