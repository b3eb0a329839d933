import { InvariantError } from "../codec/assert.ts";
import { SynodError } from "../errors/synod-error.ts";
import { assertConfiguration, type Configuration, type MemberInfo } from "../paxos/configuration.ts";
import { type Incarnation, isIncarnation, slot } from "../paxos/ids.ts";
import { corrupt } from "./corrupt.ts";
import { FOUNDING_FILE, join } from "./folder-layout.ts";
import type { FileSystem, Founding } from "./interface.ts";
import { readSealed, writeSealed } from "./sealed-document.ts";

const CLUSTER_PATTERN = /^[0-9a-f]{32}$/;

/** Null when the member belongs to no cluster yet. Throws `SYNOD_ERR_CORRUPT`. */
export async function loadFounding(fileSystem: FileSystem, folder: string): Promise<Founding | null> {
  const path = join(folder, FOUNDING_FILE);
  const document = await readSealed(fileSystem, path);
  if (document === null) return null;
  const { cluster, configuration, configurationSlot } = document;
  if (typeof cluster !== "string" || !CLUSTER_PATTERN.test(cluster)) throw corrupt(path, 0, "no cluster id");
  if (!Number.isSafeInteger(configurationSlot) || (configurationSlot as number) < 0) throw corrupt(path, 0, "no slot of the configuration");
  const { voters, learners, removed } = readObject(path, configuration);
  const members = { voters: readMembers(path, voters), learners: readMembers(path, learners), removed: readRemoved(path, removed) };
  checkConfiguration(path, members);
  return { cluster, configuration: members, configurationSlot: slot(configurationSlot as number) };
}

/** Keeps `founding`. One that is kept already may only be given again (rule 13): `SYNOD_ERR_ALREADY_FOUNDED` otherwise. */
export async function saveFounding(
  fileSystem: FileSystem, folder: string, kept: Founding | null, founding: Founding,
): Promise<void> {
  const document = plain(founding);
  if (kept === null) {
    await writeSealed(fileSystem, join(folder, FOUNDING_FILE), document);
  } else if (JSON.stringify(plain(kept)) !== JSON.stringify(document)) {
    throw new SynodError("SYNOD_ERR_ALREADY_FOUNDED", `this folder belongs to cluster ${kept.cluster}`, { cluster: kept.cluster });
  }
}

/** The same founding with its properties in one fixed order. */
function plain(founding: Founding): Readonly<Record<string, unknown>> {
  const members = (list: readonly MemberInfo[]) => list.map(({ incarnation, name, address }) => ({ incarnation, name, address }));
  const { voters, learners, removed } = founding.configuration;
  const configuration = { voters: members(voters), learners: members(learners), removed };
  return { cluster: founding.cluster, configuration, configurationSlot: founding.configurationSlot };
}

function readRemoved(path: string, list: unknown): Incarnation[] {
  if (!Array.isArray(list)) throw corrupt(path, 0, "no list of removed members");
  return list.map((item: unknown) => {
    if (typeof item !== "string" || !isIncarnation(item)) throw corrupt(path, 0, "a removed member without incarnation");
    return item;
  });
}

function readMembers(path: string, list: unknown): MemberInfo[] {
  if (!Array.isArray(list)) throw corrupt(path, 0, "no list of members");
  return list.map((item: unknown) => {
    const { incarnation, name, address } = readObject(path, item);
    if (typeof incarnation !== "string" || !isIncarnation(incarnation)) throw corrupt(path, 0, "a member without incarnation");
    if (typeof name !== "string" || typeof address !== "string") throw corrupt(path, 0, "a member without name or address");
    return { incarnation, name, address };
  });
}

function readObject(path: string, value: unknown): { readonly [key: string]: unknown } & Partial<Record<
  "voters" | "learners" | "removed" | "incarnation" | "name" | "address", unknown>> {
  if (typeof value !== "object" || value === null) throw corrupt(path, 0, "not the form of a founding document");
  return value as Record<string, unknown>;
}

function checkConfiguration(path: string, configuration: Configuration): void {
  try {
    assertConfiguration(configuration);
  } catch (error) {
    if (error instanceof InvariantError) throw corrupt(path, 0, error.message);
    throw error;
  }
}
