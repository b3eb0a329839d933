import type { ServiceEvent } from "../api/service.ts";
import { DevFollower } from "./dev-follower.ts";
import { coloured, eventLine, type Paint, plain, statusDigest, statusLine, statusLines, usageLines } from "./dev-view.ts";
import { LocalCluster, type LocalClusterOptions } from "./local-cluster.ts";
import { serveManager } from "./manager-api.ts";
import { Screen, type Terminal } from "./screen.ts";

export interface DevSessionOptions extends Omit<LocalClusterOptions, "report"> {
  readonly terminal: Terminal;
  /** What `synod dev kill` and its like need on this cluster, such as ` --data DIR`; empty for the usual folder. */
  readonly flags?: string;
  /** Aborting it, at any point, shuts everything down. */
  readonly stop: AbortSignal;
}

/**
 * Runs a local cluster until `stop` is aborted: starts it, shows the elections until a leader serves and then one line for each node,
 * and serves the manager's HTTP meanwhile. Resolves when no process and no port is left. Throws as `LocalCluster.startAll` does.
 */
export async function runDevSession(options: DevSessionOptions): Promise<void> {
  const screen = new Screen(options.terminal);
  const paint = screen.live && process.env["NO_COLOR"] === undefined ? coloured : plain;
  const cluster = new LocalCluster({ ...options, report: (line) => screen.print([paint("dim", line)]) });
  let closeManager = async (): Promise<void> => {};
  const view = new View(cluster, screen, paint, options.flags ?? "");
  const stopped = untilAborted(options.stop);
  // Called when it is time to stop, perhaps in the middle of the start, and once more at the end; each part may be closed twice.
  const end = async (): Promise<void> => {
    view.close();
    await Promise.all([cluster.shutdown(), closeManager()]);
  };
  void stopped.then(end);
  try {
    await cluster.open();
    closeManager = await serveManager(cluster);
    screen.print([`${paint("bold", "synod")} ${cluster.list().length} nodes in ${cluster.folder}`]);
    view.follow();
    await cluster.startAll();
    await stopped;
  } catch (error) {
    if (!options.stop.aborted) throw error;
  } finally {
    await end();
  }
  screen.print(["All nodes have stopped."]);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Without a live screen, lines are printed once the nodes have stopped changing roles in the wake of each other, in milliseconds. */
const SETTLE_MS = 400;

/** Decides what is printed when. */
class View {
  readonly #cluster: LocalCluster;
  readonly #screen: Screen;
  readonly #paint: Paint;
  readonly #flags: string;
  readonly #digests = new Map<string, string>();
  readonly #lastTypes = new Map<string, string>();
  #serving = false;
  #settled: NodeJS.Timeout | null = null;
  #follower: DevFollower | null = null;

  constructor(cluster: LocalCluster, screen: Screen, paint: Paint, flags: string) {
    this.#flags = flags;
    this.#cluster = cluster;
    this.#screen = screen;
    this.#paint = paint;
  }

  /** Begins to show what the cluster's nodes do. */
  follow(): void {
    this.#follower = new DevFollower(this.#cluster, () => this.showStatus(), (events) => this.showEvents(events));
  }

  /** Shows nothing any more. */
  close(): void {
    if (this.#follower === null) return;
    this.#follower.close();
    this.#follower = null;
    this.#screen.setBlock([]);
    this.#screen.print(["Stopping."]);
  }

  showEvents(events: readonly ServiceEvent[]): void {
    const news = events.filter((event) => !this.#isRepeated(event));
    this.#screen.print(news.map((event) => eventLine(event, this.#paint)).filter((line) => line !== null));
    const ready = events.find((event) => event.type === "leaderReady");
    if (ready === undefined || this.#serving) return;
    this.#serving = true;
    const nodes = this.#cluster.list();
    const leader = nodes.find((node) => node.name === ready.member);
    const other = nodes.find((node) => node.state === "running" && node.name !== ready.member) ?? leader;
    if (leader !== undefined && other !== undefined) this.#screen.print(usageLines(leader, other.url, this.#flags, this.#paint));
    this.showStatus();
  }

  /** A member that hears nobody asks again and again; once is enough to tell. */
  #isRepeated({ member, type }: ServiceEvent): boolean {
    const repeated = type === "preVoteStarted" && this.#lastTypes.get(member) === type;
    this.#lastTypes.set(member, type);
    return repeated;
  }

  showStatus(): void {
    if (!this.#serving || this.#follower === null) return;
    if (this.#screen.live) return this.#screen.setBlock(statusLines(this.#follower.nodes(), this.#paint));
    if (this.#settled === null) this.#settled = setTimeout(() => this.#printChanged(), SETTLE_MS).unref();
  }

  #printChanged(): void {
    this.#settled = null;
    const nodes = this.#follower?.nodes() ?? [];
    const changed = nodes.filter((node) => this.#digests.get(node.name) !== statusDigest(node));
    for (const node of changed) this.#digests.set(node.name, statusDigest(node));
    this.#screen.print(changed.map((node) => statusLine(node, this.#paint)));
  }
}
