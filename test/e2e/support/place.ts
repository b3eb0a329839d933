import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HISTORY_FOLDER } from "../../history/history-file.ts";
import type { Api } from "./api.ts";
import { apply, kubectl } from "./kubectl.ts";
import { run } from "./run-command.ts";
import { View } from "./view.ts";

/** Namespaces of failed tests are kept with this set, to look at what is there. */
const KEEP = process.env["SYNOD_E2E_KEEP"] !== undefined;
/** What the names of the namespaces begin with, so that people who share a cluster tell theirs apart. */
const PREFIX = process.env["SYNOD_E2E_PREFIX"] ?? "e2e";

/** A namespace of its own for one test file, which takes only pods of the Pod Security Standard "restricted". */
export class Place {
  readonly api: Api;
  readonly namespace: string;
  readonly view: View;

  private constructor(api: Api, namespace: string) {
    this.api = api;
    this.namespace = namespace;
    this.view = new View(api, namespace);
  }

  static async make(api: Api, name: string): Promise<Place> {
    const namespace = `${PREFIX}-${name}-${randomBytes(3).toString("hex")}`;
    await apply({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/enforce-version": "latest" } },
    });
    return new Place(api, namespace);
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl(["-n", this.namespace, ...args], { timeoutMs: 300_000 });
  }

  /** Writes down what there is, for who looks into a failure. Returns the file. */
  async keepEvidence(): Promise<string> {
    mkdirSync(HISTORY_FOLDER, { recursive: true });
    const path = join(HISTORY_FOLDER, `${this.namespace}-${new Date().toISOString().replaceAll(/[:.]/g, "-")}.txt`);
    const questions = [
      ["get", "paxosclusters.synod.dev,pods,statefulsets,pvc,services,configmaps,leases,jobs", "-o", "wide"],
      ["get", "paxosclusters.synod.dev,configmaps", "-o", "yaml"],
      ["get", "events", "--sort-by=.lastTimestamp"],
      ["describe", "pods"],
    ];
    const answers = await Promise.all(questions.map((question) => this.kubectl(...question).catch((error: Error) => error.message)));
    const names = this.view.pods.all.map(({ metadata }) => metadata?.name ?? "");
    const logs = await Promise.all(names.flatMap((name) => [[], ["--previous"]].map(async (which) =>
      `==== ${name} ${which.join("")}\n${await this.kubectl("logs", name, "--tail=400", ...which).catch(() => "")}`)));
    writeFileSync(path, [...answers, ...logs].join("\n"));
    return path;
  }

  /** Deletes the namespace with all that is in it. */
  async remove(failed: boolean): Promise<void> {
    await this.view.stop();
    if (failed && KEEP) return;
    const releases = JSON.parse(await run("helm", ["list", "-n", this.namespace, "-q", "-o", "json"])) as readonly string[];
    for (const release of releases) await run("helm", ["uninstall", "-n", this.namespace, release, "--no-hooks"]);
    await kubectl(["delete", "namespace", this.namespace, "--wait=false"]);
  }
}
