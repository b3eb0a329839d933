import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { HISTORY_FOLDER } from "../history/history-file.ts";
import { withCluster } from "./cluster.ts";
import { filesOf, type Place, spread, startFlipped } from "./flipped-node.ts";
import { call, put } from "./http.ts";

const KEYS = 20;
const PARALLEL = 3;
/** The starts of hundreds of processes; a loaded machine needs most of it. */
const TIMEOUT_MS = 900_000;
const valueOf = (index: number): string => `value ${index} `.padEnd(2_000, "v");

/** Writes each key once, the last one alone, so that it is the last acknowledged record. */
async function writeKeys(url: string): Promise<void> {
  for (let index = 0; index < KEYS; index++) expect((await put(url, `k${index}`, valueOf(index))).status).toBe(200);
}

/** The place of the last written value's text in the log: it is in the last batch that carries one. */
async function lastRecord(folder: string): Promise<{ readonly file: string; readonly from: number }> {
  for (const { file } of (await filesOf(folder)).filter((one) => one.file.endsWith(".log")).reverse()) {
    const from = (await readFile(join(folder, file))).lastIndexOf(`value ${KEYS - 1} `);
    if (from >= 0) return { file, from };
  }
  throw new Error("the last record is not in the log");
}

interface Item { readonly key: string; readonly value: string }

/** What is wrong with the data that a node serves; "not yet" when it serves none so far. */
async function wrongIn(url: string, consistency: "linearizable" | "local"): Promise<string | null> {
  const { status, body, code } = await call(`${url}/v1/kv?prefix=k&limit=100&consistency=${consistency}`);
  if (status !== 200) return `not yet: ${code}`;
  const items = (JSON.parse(body) as { items: Item[] }).items;
  if (consistency === "linearizable" && items.length !== KEYS) return `${items.length} keys, not ${KEYS}`;
  const other = items.find(({ key, value }) => Buffer.from(value, "base64").toString() !== valueOf(Number(key.slice(1))));
  return other === undefined ? null : `${other.key} has another value than was written`;
}

async function flipAll(folder: string, name: string, places: readonly Place[], consistency: "linearizable" | "local") {
  const tally = { fenced: 0, right: 0 };
  const waiting = [...places];
  const work = async (worker: number): Promise<void> => {
    for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) {
      const copy = join(HISTORY_FOLDER, `flip-${process.pid}-${worker}`, name);
      tally[await startFlipped(folder, place, { name, copy, isRight: (url) => wrongIn(url, consistency) })] += 1;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, (_, worker) => work(worker)));
  return tally;
}

it("200 flips in the folder of a member of one, a third of them in its last acknowledged record: right data or fenced, and it says so", () =>
  withCluster({ nodes: 1, disk: "real", segmentBytes: 16_384, snapshotBytes: 24_576 }, async (cluster) => {
    await writeKeys((await cluster.leader()).url);
    await cluster.kill("n1");
    const folder = cluster.dataFolder("n1");
    const last = await lastRecord(folder);
    const inLast = Array.from({ length: 67 }, (_, index) => ({ file: last.file, at: last.from + index * 29 }));
    const places = [...spread(await filesOf(folder), 133), ...inLast];
    const tally = await flipAll(folder, "n1", places, "linearizable");
    expect(tally.fenced + tally.right).toBe(200);
    expect(tally.fenced).toBeGreaterThan(100);
  }), TIMEOUT_MS);

it("100 flips in the folder of a member of three: what it shows by itself is right, or it is fenced and says so", () =>
  withCluster({ nodes: 3, disk: "real", segmentBytes: 16_384, snapshotBytes: 24_576 }, async (cluster) => {
    const { name, url } = await cluster.leader();
    await writeKeys(url);
    for (const one of cluster.names) await cluster.kill(one);
    const folder = cluster.dataFolder(name);
    const last = await lastRecord(folder);
    const inLast = Array.from({ length: 30 }, (_, index) => ({ file: last.file, at: last.from + index * 61 }));
    const tally = await flipAll(folder, name, [...spread(await filesOf(folder), 70), ...inLast], "local");
    expect(tally.fenced + tally.right).toBe(100);
    expect(tally.fenced).toBeGreaterThan(50);
  }), TIMEOUT_MS);
