import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { V1ConfigMap, V1Pod } from "@kubernetes/client-node";
import { REPOSITORY } from "../support/cluster-tool.ts";
import { CONTROL_PORT, type LoadSettings } from "./settings.ts";

const MOUNT = "/e2e";

/** The program's files, under the names that they have in the repository, so that their imports hold in the pod as well. */
const FILES = [
  ...["main.ts", "worker.ts", "epochs.ts", "record.ts", "settings.ts"].map((name) => join(import.meta.dirname, name)),
  ...["src/scenario/seeded-random.ts", "src/history/last-seen.ts", "test/history/now.ts"].map((path) => join(REPOSITORY, path)),
].map((path) => relative(REPOSITORY, path));

/** A key of a ConfigMap has no slashes. */
const keyOf = (path: string): string => path.replaceAll("/", "__");

/** The program as a ConfigMap: the published image carries no test code. */
export function loadProgram(name: string, namespace: string): V1ConfigMap {
  const files = FILES.map((path) => [keyOf(path), readFileSync(join(REPOSITORY, path), "utf8")] as const);
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace },
    data: { ...Object.fromEntries(files), "package.json": JSON.stringify({ type: "module" }) },
  };
}

/** A pod of the published image that runs the program instead of a member. */
export function loadPod(name: string, namespace: string, image: string, program: string, settings: LoadSettings): V1Pod {
  const items = [...FILES.map((path) => ({ key: keyOf(path), path })), { key: "package.json", path: "package.json" }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { "app.kubernetes.io/name": "synod-e2e-load" } },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      restartPolicy: "Never",
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
      containers: [{
        name: "load",
        image,
        imagePullPolicy: "IfNotPresent",
        command: ["node", `${MOUNT}/${relative(REPOSITORY, join(import.meta.dirname, "main.ts"))}`],
        env: [{ name: "LOAD", value: JSON.stringify(settings) }],
        ports: [{ containerPort: CONTROL_PORT }],
        readinessProbe: { httpGet: { path: "/time", port: CONTROL_PORT }, periodSeconds: 1 },
        // Without a share of its own it would be the first to wait where processors are few, and what it waits for would look like the members' time.
        resources: { requests: { cpu: "500m", memory: "128Mi" } },
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
        volumeMounts: [{ name: "program", mountPath: MOUNT, readOnly: true }],
      }],
      volumes: [{ name: "program", configMap: { name: program, items } }],
    },
  };
}
