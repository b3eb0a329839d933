import { dirname } from "node:path";
import type { SeededRandom } from "../scenario/seeded-random.ts";
import { LOG_FOLDER } from "../storage/folder-layout.ts";
import { isZero, SECTOR_BYTES, sectorTag } from "../storage/sector.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";

/** One bit flips, or a sector finds itself in another's place. Returns whether there was anything to damage. */
export function damageSomething(disk: SimulatedDisk, random: SeededRandom): boolean {
  if (random.chance(0.3) && flipInLastBatch(disk, random)) return true;
  const path = random.pickIfAny(disk.paths());
  const bytes = path === undefined ? new Uint8Array(0) : disk.contents(path);
  if (path === undefined || bytes.length === 0) return false;
  const at = drawUsed(bytes, random);
  const sector = random.chance(0.5) ? null : drawSector(disk, random);
  const to = at - (at % SECTOR_BYTES);
  if (sector === null) flip(disk, path, at, random.below(8));
  else if (isZero(sector, 0, sector.length) && isOfLastBatch(disk, path, to)) flip(disk, path, at, 0);
  else disk.damage(path, sector.subarray(0, bytes.length - to), to);
  return true;
}

/** A bit flips in what was written to the log last: nothing valid is behind it, and it may have been acknowledged (rule 14). */
function flipInLastBatch(disk: SimulatedDisk, random: SeededRandom): boolean {
  const files = disk.paths().filter(isLogFile);
  const newest = Math.max(0, ...files.map((path) => highestTag(disk.contents(path))));
  const path = files.find((file) => newest > 0 && highestTag(disk.contents(file)) === newest);
  if (path === undefined) return false;
  const bytes = disk.contents(path);
  const sectors = Array.from({ length: Math.floor(bytes.length / SECTOR_BYTES) }, (_, index) => index * SECTOR_BYTES).filter((at) => tagAt(bytes, at) === newest);
  flip(disk, path, random.pick(sectors) + random.below(SECTOR_BYTES), random.below(8));
  return true;
}

/** A place in a file: mostly one that was written, as files of the log are made of zeros. */
function drawUsed(bytes: Uint8Array, random: SeededRandom): number {
  const at = random.below(bytes.length);
  if (random.chance(0.2)) return at;
  const used = bytes.findIndex((byte, index) => index >= at && byte !== 0);
  return used === -1 ? Math.max(0, bytes.findIndex((byte) => byte !== 0)) : used;
}

function drawSector(disk: SimulatedDisk, random: SeededRandom): Uint8Array {
  const bytes = disk.contents(random.pick(disk.paths()));
  const from = random.below(Math.ceil(bytes.length / SECTOR_BYTES)) * SECTOR_BYTES;
  return bytes.subarray(from, from + SECTOR_BYTES);
}

function flip(disk: SimulatedDisk, path: string, at: number, bit: number): void {
  disk.damage(path, Uint8Array.of((disk.contents(path)[at] as number) ^ (1 << bit)), at);
}

/**
 * Whether the sector belongs to the newest batch of the log, which no mark covers. Zeros there are what a write leaves that never
 * ran, and nothing else on the disk tells the two apart: the disk is assumed not to lose a sector that it reported synced (rule 14).
 */
function isOfLastBatch(disk: SimulatedDisk, path: string, at: number): boolean {
  const tag = tagAt(disk.contents(path), at);
  if (tag === 0 || !isLogFile(path)) return false;
  const tags = disk.paths().filter(isLogFile).map((file) => highestTag(disk.contents(file)));
  return tag === Math.max(...tags);
}

function isLogFile(path: string): boolean {
  return dirname(path).endsWith(`/${LOG_FOLDER}`);
}

function highestTag(bytes: Uint8Array): number {
  let highest = 0;
  for (let at = 0; at < bytes.length; at += SECTOR_BYTES) highest = Math.max(highest, tagAt(bytes, at));
  return highest;
}

/** Which batch wrote a sector; 0: none. */
function tagAt(bytes: Uint8Array, at: number): number {
  return at + SECTOR_BYTES > bytes.length ? 0 : sectorTag(bytes, at);
}
