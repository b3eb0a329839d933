import type { V1Container, V1Probe } from "@kubernetes/client-node";
import { DATA_CLAIM, MEMBER_PORT, MEMBER_PORT_NAME } from "../resource/names.ts";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";

export const CONTAINER = "synod";
export const KEY_VOLUME = "key";
const DATA_PATH = "/var/lib/synod";
/** Beside it a new file system has its lost+found. */
const DATA_FOLDER = `${DATA_PATH}/data`;
const KEY_PATH = "/etc/synod/key";
/** How long a member waits for the lock on its folder: a force-deleted twin may still hold it. */
const FOLDER_WAIT_SECONDS = 120;
/** Reading a large log may take so long, the wait for the folder included. */
const STARTUP_SECONDS = 600;

/** The container of a member, within the restricted Pod Security Standard. */
export function memberContainer({ spec }: PaxosCluster): V1Container {
  return {
    name: CONTAINER,
    image: spec.image,
    ...(spec.imagePullPolicy === undefined ? {} : { imagePullPolicy: spec.imagePullPolicy }),
    args: memberArguments(spec),
    env: [{ name: "POD_NAME", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } }],
    ports: [{ name: MEMBER_PORT_NAME, containerPort: MEMBER_PORT, protocol: "TCP" }],
    ...(spec.resources === undefined ? {} : { resources: spec.resources }),
    ...probes(),
    securityContext: {
      allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true, capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [{ name: DATA_CLAIM, mountPath: DATA_PATH }, { name: KEY_VOLUME, mountPath: KEY_PATH, readOnly: true }],
  };
}

function memberArguments({ timings, logLevel }: PaxosCluster["spec"]): string[] {
  const flags: readonly (readonly [string, string | number | undefined])[] = [
    ["--name", "$(POD_NAME)"],
    ["--data", DATA_FOLDER],
    ["--listen", `0.0.0.0:${MEMBER_PORT}`],
    ["--key-folder", KEY_PATH],
    ["--wait-for-folder", FOLDER_WAIT_SECONDS],
    ["--heartbeat-ms", timings?.heartbeatMs],
    ["--election-timeout-ms", timings?.electionTimeoutMs],
    ["--log-level", logLevel],
  ];
  return ["node", ...flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]))];
}

/** Alive is whose event loop turns, quorum or not: restarting members that have lost each other mends nothing. */
function probes(): Pick<V1Container, "startupProbe" | "livenessProbe" | "readinessProbe"> {
  const probe = (path: string, periodSeconds: number, timeoutSeconds: number, failureThreshold: number): V1Probe => ({
    httpGet: { path, port: MEMBER_PORT_NAME, scheme: "HTTP" }, periodSeconds, timeoutSeconds, failureThreshold,
  });
  return {
    startupProbe: probe("/healthz", 1, 2, STARTUP_SECONDS),
    livenessProbe: probe("/healthz", 10, 5, 6),
    readinessProbe: probe("/readyz", 2, 2, 2),
  };
}
