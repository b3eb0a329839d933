/** The syncs that a node under test can be told to leave out, each alone, to show that a test on real processes notices. */
export const SYNCS = ["log-batch", "log-folder", "snapshot-file", "snapshot-folder", "identity-file", "founding-file", "data-folder"] as const;
export type Sync = (typeof SYNCS)[number];

/** Says which calls of the file system are the given sync. `dataFolder` is the node's. Counts calls: one is good for one file system. */
export function callsOf(sync: Sync, dataFolder: string): (kind: "datasync" | "syncFolder", path: string) => boolean {
  const counts = new Map<string, number>();
  const count = (path: string): number => {
    const next = (counts.get(path) ?? 0) + 1;
    counts.set(path, next);
    return next;
  };
  return (kind, path) => {
    const file = kind === "datasync" ? path.slice(dataFolder.length + 1) : "";
    const folder = kind === "syncFolder" ? path.slice(dataFolder.length) : null;
    switch (sync) {
      case "log-batch":
        // The first two make the blank segment and its header durable: then what is lost is lost without a trace in the folder.
        return /^log\/\d+\.log$/.test(file) && count(file) > 2;
      case "log-folder":
        return folder === "/log";
      case "snapshot-file":
        return /^snapshots\/\d+\.snap\.tmp$/.test(file);
      case "snapshot-folder":
        return folder === "/snapshots";
      case "identity-file":
        return file === "identity.json.tmp";
      case "founding-file":
        return file === "founding.json.tmp";
      case "data-folder":
        return folder === "";
    }
  };
}

/** The line with which a node under test says that it left a sync out. */
export function omissionLine(kind: string, path: string): string {
  return `sync left out: ${kind} ${path}\n`;
}

/** How many syncs were left out, by what a node printed. */
export function countOmissions(log: string): number {
  return log.split("\nsync left out: ").length - 1 + (log.startsWith("sync left out: ") ? 1 : 0);
}
