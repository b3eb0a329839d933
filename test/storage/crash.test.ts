import { describe, expect, it } from "vitest";
import { crashRun } from "./crash-run.ts";
import type { Operation } from "../../src/sim/simulated-disk.ts";

const SEEDS = 2000;

it(`loses no durable record and reports no wrong one, whenever the process or the power goes (${SEEDS} seeds)`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) expect(await crashRun(seed), `seed ${seed}`).toBeNull();
}, 300_000);

describe("when the disk pretends to do one of the syncs, a power loss shows it:", () => {
  const removed: readonly (readonly [string, (operation: Operation, nth: (key: string) => number) => boolean])[] = [
    ["the sync of a log file", ({ kind, path }) => kind === "datasync" && path.endsWith(".log")],
    ["the sync of a new segment's zeros", ({ kind, path }, nth) => kind === "datasync" && path.endsWith(".log") && nth(path) === 1],
    ["the sync of a segment's first batch", ({ kind, path }, nth) => kind === "datasync" && path.endsWith(".log") && nth(path) === 2],
    ["the sync of the folder after a segment was created", ({ kind, path }) => kind === "syncFolder" && path.endsWith("/log")],
    ["the sync of a snapshot file", ({ kind, path }) => kind === "datasync" && path.endsWith(".snap.tmp")],
    ["the sync of the folder after a snapshot was renamed", ({ kind, path }) => kind === "syncFolder" && path.endsWith("/snapshots")],
    ["the sync of the identity", ({ kind, path }) => kind === "datasync" && path.endsWith("identity.json.tmp")],
    ["the sync of the founding document", ({ kind, path }) => kind === "datasync" && path.endsWith("founding.json.tmp")],
    ["the sync of the folder after the identity or the founding was renamed", ({ kind, path }) => kind === "syncFolder" && path === "/data"],
  ];

  it.each(removed)("%s", async (_name, ignored) => {
    let detected: string | null = null;
    for (let seed = 1; seed <= 500 && detected === null; seed++) {
      const counts = new Map<string, number>();
      const nth = (key: string): number => {
        counts.set(key, (counts.get(key) ?? 0) + 1);
        return counts.get(key) ?? 0;
      };
      detected = await crashRun(seed, (operation) => ignored(operation, nth));
    }
    expect(detected).not.toBeNull();
  });
});
