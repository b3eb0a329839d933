import { EventEmitter, once } from "node:events";
import type {
  V1ConfigMap, V1PersistentVolumeClaim, V1Pod, V1PodDisruptionBudget, V1Secret, V1Service, V1StatefulSet,
} from "@kubernetes/client-node";
import type { PaxosCluster } from "../../../src/controller/resource/paxos-cluster.ts";
import type { Api } from "./api.ts";
import { Mirror } from "./mirror.ts";
import { BoundError } from "./until.ts";

const CHANGED = "changed";

/** What there is in one namespace, followed by watches. */
export class View {
  readonly #changes = new EventEmitter();
  readonly pods: Mirror<V1Pod>;
  readonly claims: Mirror<V1PersistentVolumeClaim>;
  readonly services: Mirror<V1Service>;
  readonly configMaps: Mirror<V1ConfigMap>;
  readonly secrets: Mirror<V1Secret>;
  readonly statefulSets: Mirror<V1StatefulSet>;
  readonly budgets: Mirror<V1PodDisruptionBudget>;
  readonly clusters: Mirror<PaxosCluster>;

  /** The resource's definition must be known to the API server, or else `clusters` is empty until it is. */
  constructor(api: Api, namespace: string) {
    const core = `/api/v1/namespaces/${namespace}`;
    const follow = <T extends object>(path: string): Mirror<T> => new Mirror<T>(api, path, () => this.#changes.emit(CHANGED));
    this.#changes.setMaxListeners(0);
    this.pods = follow(`${core}/pods`);
    this.claims = follow(`${core}/persistentvolumeclaims`);
    this.services = follow(`${core}/services`);
    this.configMaps = follow(`${core}/configmaps`);
    this.secrets = follow(`${core}/secrets`);
    this.statefulSets = follow(`/apis/apps/v1/namespaces/${namespace}/statefulsets`);
    this.budgets = follow(`/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`);
    this.clusters = follow(`/apis/synod.dev/v1alpha1/namespaces/${namespace}/paxosclusters`);
  }

  /** Calls back after every change, with the view as it then is. Returns what ends that. */
  onChange(callback: () => void): () => void {
    this.#changes.on(CHANGED, callback);
    return () => this.#changes.off(CHANGED, callback);
  }

  /** Resolves with the milliseconds it took until `lack` finds nothing missing; asked now and after every change. Rejects with `BoundError`. */
  async until(what: string, boundMs: number, lack: () => string | null): Promise<number> {
    const beginMs = performance.now();
    const late = AbortSignal.timeout(Math.ceil(boundMs));
    for (;;) {
      const missing = lack();
      if (missing === null) return performance.now() - beginMs;
      const changed = await once(this.#changes, CHANGED, { signal: late }).then(() => true, () => false);
      if (!changed) throw new BoundError(`${what}: not within ${boundMs} ms, but ${missing}`);
    }
  }

  /** False while the API server could not be asked, so that what is seen may be old. */
  get fresh(): boolean {
    return this.#mirrors().every((mirror) => mirror.fresh);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#mirrors().map((mirror) => mirror.stop()));
  }

  #mirrors(): readonly Mirror[] {
    return [this.pods, this.claims, this.services, this.configMaps, this.secrets, this.statefulSets, this.budgets, this.clusters] as readonly Mirror[];
  }
}
