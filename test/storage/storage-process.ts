import { slot } from "../../src/paxos/ids.ts";
import { NodeFileSystem } from "../../src/storage/file-system.ts";
import { openStorage } from "../../src/storage/open.ts";
import { VolatileFileSystem } from "../support/volatile-file-system.ts";
import { accepted, FOUNDING, snapshotHandle, stream } from "./fixtures.ts";

/**
 * A process for tests: opens `folder`, founds it, then appends slots 1, 2, 3, … and says each that is durable, with a
 * snapshot now and then. `ignored` is a part of the paths, or `kind:part`, whose syncs are not done.
 */
const [folder = "", kind = "real", ignored = ""] = process.argv.slice(2);
const [ignoredKind, ignoredPath = ""] = ignored.split(":");
const ignore = (sync: string, path: string): boolean => sync === ignoredKind && path.endsWith(ignoredPath);
const fileSystem = kind === "real" ? new NodeFileSystem() : new VolatileFileSystem(ignore);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  let next = 1;
  const append = (): void => storage.append([accepted(first + next, 1, `value ${first + next}`.padEnd(300))], next++);
  let first = 0;
  let snapshot = 0;
  const storage = await openStorage({
    fileSystem, folder, member: "one", options: { segmentBytes: 64 * 1024 },
    listener: {
      onDurable: (record) => {
        say(`durable ${first + record}`);
        if (record % 400 === 0) snapshot = first + record;
        append();
      },
      onSyncFailed: (error) => say(`failed ${error.message}`),
    },
  });
  const { recovered } = storage;
  first = recovered.entries.at(-1)?.slot ?? recovered.snapshot?.slot ?? 0;
  const slots = recovered.entries.map((entry) => entry.slot);
  const holes = slots.filter((at, index) => at !== slot((recovered.snapshot?.slot ?? 0) + index + 1)).length;
  say(`open ${first} holes ${holes} snapshot ${recovered.snapshot?.slot ?? 0} founded ${storage.founding !== null} as ${storage.identity.incarnation}`);
  if (kind !== "look") {
    await storage.saveFounding(FOUNDING);
    say("founded");
    append();
    for (let written = 0; ; ) {
      await new Promise((resolve) => setImmediate(resolve));
      if (snapshot === written) continue;
      written = snapshot;
      await storage.writeSnapshot(snapshotHandle(written), stream(new Uint8Array(1000)));
      say(`snapshot ${written}`);
    }
  }
  await storage.close();
} catch (error) {
  say(`error ${(error as { code?: string }).code ?? "none"} ${(error as Error).message}`);
}
