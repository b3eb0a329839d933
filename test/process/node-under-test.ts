import { flushCompileCache } from "node:module";
import { parseArgs } from "node:util";
import { reportFailure } from "../../src/cli/failure.ts";
import { runNodeProcess } from "../../src/local/node-process.ts";
import { startNode } from "../../src/node/start.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMINGS } from "../../src/paxos/interface.ts";
import { VolatileFileSystem } from "../support/volatile-file-system.ts";
import { callsOf, omissionLine, type Sync, SYNCS } from "./syncs.ts";

/**
 * One node as `synod node` runs it, with what only tests want besides: a file system that loses unsynced bytes with the process, a sync that is
 * left out, and sizes so small that segments roll and snapshots are taken within a test.
 */
const { values } = parseArgs({
  options: {
    name: { type: "string", default: "" },
    data: { type: "string", default: "" },
    listen: { type: "string", default: "" },
    "peers-file": { type: "string", default: "" },
    "log-level": { type: "string", default: "info" },
    "stop-with-parent": { type: "boolean", default: false },
    volatile: { type: "boolean", default: false },
    "omit-sync": { type: "string" },
    "segment-bytes": { type: "string", default: String(8 * 1024 * 1024) },
    "snapshot-bytes": { type: "string", default: String(32 * 1024 * 1024) },
    "election-timeout-ms": { type: "string", default: String(DEFAULT_TIMINGS.electionTimeoutMs) },
    "retained-bytes": { type: "string", default: String(DEFAULT_LIMITS.retainedLogBytes) },
  },
});

function omission(): (kind: "datasync" | "syncFolder", path: string) => boolean {
  const wanted = values["omit-sync"];
  if (wanted === undefined) return () => false;
  const sync = SYNCS.find((known): known is Sync => known === wanted);
  if (sync === undefined) throw new RangeError(`--omit-sync knows ${SYNCS.join(", ")}`);
  const isOmitted = callsOf(sync, values.data);
  return (kind, path) => {
    const omitted = isOmitted(kind, path);
    if (omitted) process.stdout.write(omissionLine(kind, path));
    return omitted;
  };
}

const start = () => startNode({
  name: values.name,
  data: values.data,
  listen: values.listen,
  peersFile: values["peers-file"],
  logLevel: values["log-level"],
  storage: { segmentBytes: Number(values["segment-bytes"]) },
  snapshotBytes: Number(values["snapshot-bytes"]),
  timings: { electionTimeoutMs: Number(values["election-timeout-ms"]) },
  limits: { retainedLogBytes: Number(values["retained-bytes"]) },
  ...(values.volatile ? { fileSystem: new VolatileFileSystem(omission()) } : {}),
});

try {
  await runNodeProcess(start, { name: values.name, stopWithParent: values["stop-with-parent"] });
  // Most of these processes are killed, and would leave nothing to those that start after them.
  flushCompileCache();
} catch (error) {
  process.exitCode = reportFailure(error);
}
