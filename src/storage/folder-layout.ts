/** Names inside a data folder. Everything else found there is left alone, except leftovers that end in `.tmp`. */
export const IDENTITY_FILE = "identity.json";
export const FOUNDING_FILE = "founding.json";
export const FENCE_FILE = "fence.json";
export const LOCK_FILE = "lock";
export const LOG_FOLDER = "log";
/** In the folder of the log: a blank segment that is kept for a full disk. */
export const RESERVE_FILE = "reserve";
export const SNAPSHOT_FOLDER = "snapshots";
export const TEMPORARY_SUFFIX = ".tmp";

const SEGMENT_PATTERN = /^\d{10}\.log$/;
const SNAPSHOT_PATTERN = /^(0|[1-9]\d{0,15})\.snap$/;

export function join(folder: string, name: string): string {
  return `${folder}/${name}`;
}

/** `segment` counts from 1. */
export function segmentName(segment: number): string {
  return `${String(segment).padStart(10, "0")}.log`;
}

/** The segment numbers among `names`, ascending. */
export function segmentNumbers(names: readonly string[]): number[] {
  return names.filter((name) => SEGMENT_PATTERN.test(name)).map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b);
}

export function snapshotName(slot: number): string {
  return `${slot}.snap`;
}

/** The slots of the snapshots among `names`, ascending. */
export function snapshotSlots(names: readonly string[]): number[] {
  return names.filter((name) => SNAPSHOT_PATTERN.test(name)).map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b);
}
