import type { V1Secret } from "@kubernetes/client-node";
import { randomBytes } from "node:crypto";
import { SynodError } from "../../errors/synod-error.ts";
import { objectLabels } from "../manifests/labels.ts";
import { type ClusterKeys, fingerprintOf } from "../members/keys.ts";
import type { ObservedPod, ObservedSecret } from "../plan/observed.ts";
import { namesOf } from "../resource/names.ts";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";

const MADE_AT = "synod.dev/key-made-at";
const ROTATED_AT = "synod.dev/key-rotated-at";
const KEY_PATTERN = /^[0-9a-f]{64}$/;

/** When the current key was made, in milliseconds since 1970, and for which `security.keyRotatedAt`. */
export interface KeyMaking {
  readonly madeMs: number;
  readonly rotatedAt: string | null;
}

/** 32 random bytes as 64 hex digits. */
export function drawKey(): string {
  return randomBytes(32).toString("hex");
}

/**
 * The Secret of a cluster's keys. It has no owner: volumes outlive a deleted PaxosCluster, and members that are started on them again with
 * another key could not talk to any that still run with the old one.
 */
export function makeSecret({ metadata }: PaxosCluster, keys: ClusterKeys, made: KeyMaking): V1Secret {
  return {
    apiVersion: "v1", kind: "Secret", type: "Opaque",
    metadata: {
      name: namesOf(metadata.name).keySecret, namespace: metadata.namespace, labels: objectLabels(metadata.name), annotations: annotationsOf(made),
    },
    data: secretData(keys),
  };
}

/** The change to these keys of a Secret that still has that version. `made` is null when the current key stays. */
export function secretPatch(resourceVersion: string, keys: ClusterKeys, made: KeyMaking | null): object {
  return {
    metadata: { resourceVersion, ...(made === null ? {} : { annotations: annotationsOf(made) }) },
    data: { ...secretData(keys), ...(keys.previous === null ? { previous: null } : {}) },
  };
}

/** The keys in a Secret; null when it has none that could be used, so that it is made anew. */
export function readKeys({ data }: V1Secret): ClusterKeys | null {
  const current = decode(data?.["current"]);
  return current === null ? null : { current, previous: decode(data?.["previous"]) };
}

/** Throws `SYNOD_ERR_BAD_REQUEST` for a Secret without a key: members read it too, so it is not taken for none. */
export function observeSecret(secret: V1Secret): ObservedSecret {
  const keys = readKeys(secret);
  const { uid = "", name, annotations, creationTimestamp } = secret.metadata ?? {};
  if (keys === null) {
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", `The Secret ${name} has no key "current" of 64 hex digits. Delete it: a new one is made, and the members take it.`);
  }
  const madeMs = Date.parse(annotations?.[MADE_AT] ?? String(creationTimestamp ?? ""));
  const { current, previous } = keys;
  return {
    uid,
    current: fingerprintOf(current),
    previous: previous === null ? null : fingerprintOf(previous),
    madeMs: Number.isFinite(madeMs) ? madeMs : 0,
    rotatedAt: annotations?.[ROTATED_AT] ?? null,
  };
}

/** What is written on a pod whose kubelet is to bring that key, by its fingerprint. */
export function announcement(key: string, atMs: number): string {
  return `${key} ${new Date(atMs).toISOString()}`;
}

export function readAnnouncement(text: string | undefined): ObservedPod["announced"] {
  const [key = "", time = ""] = (text ?? "").split(" ", 2);
  const atMs = Date.parse(time);
  return key === "" || !Number.isFinite(atMs) ? null : { key, atMs };
}

function secretData({ current, previous }: ClusterKeys): Record<string, string> {
  const encode = (key: string): string => Buffer.from(key).toString("base64");
  return { current: encode(current), ...(previous === null ? {} : { previous: encode(previous) }) };
}

function decode(data: string | undefined): string | null {
  const key = Buffer.from(data ?? "", "base64").toString("utf8").trim().toLowerCase();
  return KEY_PATTERN.test(key) ? key : null;
}

function annotationsOf({ madeMs, rotatedAt }: KeyMaking): Record<string, string> {
  return { [MADE_AT]: new Date(madeMs).toISOString(), ...(rotatedAt === null ? {} : { [ROTATED_AT]: rotatedAt }) };
}
