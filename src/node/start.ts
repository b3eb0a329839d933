import { randomBytes } from "node:crypto";
import { pino, type Logger } from "pino";
import { createApi } from "../api/server.ts";
import { SynodError } from "../errors/synod-error.ts";
import { type Limits, type Timings } from "../paxos/interface.ts";
import { NodeFileSystem } from "../storage/file-system.ts";
import type { FileSystem, Founding, Storage, StorageListener } from "../storage/interface.ts";
import { openStorage, type StorageOptions } from "../storage/open.ts";
import { Transport } from "../transport/transport.ts";
import { drawNonceSeed, systemClock } from "./clock.ts";
import { LogOutput } from "./log-output.ts";
import { Member } from "./member.ts";
import { NodeService } from "./node-service.ts";
import { peerAddresses } from "./peer-addresses.ts";
import { restoreState } from "./restore-state.ts";
import { VERSION } from "./version.ts";

/** Version of what members say to each other. */
const PEER_PROTOCOL_VERSION = 1;

/** How long a stopping member waits for what it has not answered yet. */
const DRAIN_MS = 500;

export interface NodeOptions {
  /** The member's name, unique in its cluster. */
  readonly name: string;
  /** The data folder; made when it is not there. */
  readonly data: string;
  /** host:port to listen on; port 0 asks for a free one. */
  readonly listen: string;
  /** A JSON file that maps members' names to host:port, read again on every dial. */
  readonly peersFile?: string;
  readonly logLevel?: string;
  readonly timings?: Partial<Timings>;
  readonly limits?: Partial<Limits>;
  readonly snapshotBytes?: number;
  readonly storage?: StorageOptions;
  /** The disk; the machine's unless a test brings its own. */
  readonly fileSystem?: FileSystem;
}

export interface RunningNode {
  readonly url: string;
  readonly service: NodeService;
  /** Hands leadership over, answers what is open, closes every socket and file. Ends within about three seconds. */
  stop(): Promise<void>;
}

/** How long the end of a member waits for its log to be read. */
const LOG_FLUSH_MS = 500;

/** Starts one member: opens its folder, listens, and takes part in its cluster if it was founded. Throws `SynodError`. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const output = new LogOutput();
  const log = pino({ name: "synod", level: options.logLevel ?? "info", base: { member: options.name } }, output);
  const address = parseListen(options.listen);
  const disk = new DiskRelay();
  const storage = await openStorage({
    fileSystem: options.fileSystem ?? new NodeFileSystem(),
    folder: options.data,
    member: options.name,
    listener: disk,
    ...(options.storage === undefined ? {} : { options: options.storage }),
  });
  try {
    return await serve(options, { log, output, storage, disk, address });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** The storage reports from its opening on, and the member that listens comes later. */
class DiskRelay implements StorageListener {
  durableThrough = 0;
  #listener: StorageListener | null = null;
  #failure: Error | null = null;

  onDurable(record: number): void {
    this.durableThrough = record;
    this.#listener?.onDurable(record);
  }

  onSyncFailed(error: Error): void {
    this.#failure = error;
    this.#listener?.onSyncFailed(error);
  }

  /** From now on `listener` is told, first of a failure that came before it. */
  attach(listener: StorageListener): void {
    this.#listener = listener;
    if (this.#failure !== null) listener.onSyncFailed(this.#failure);
  }

  onSync(sample: { readonly seconds: number; readonly records: number; readonly bytes: number }): void {
    this.#listener?.onSync?.(sample);
  }
}

interface Opened {
  readonly log: Logger;
  readonly output: LogOutput;
  readonly storage: Storage;
  readonly disk: DiskRelay;
  readonly address: { readonly host: string; readonly port: number };
}

async function serve(options: NodeOptions, opened: Opened): Promise<RunningNode> {
  const { log, output, storage, disk, address } = opened;
  let transport: Transport | null = null;
  const begin = async (founding: Founding): Promise<{ member: Member; links(): ReturnType<Transport["links"]> }> => {
    const member = new Member({
      storage,
      founding,
      state: await restoreState(storage),
      links: { send: (to, message, lane) => transport?.send(to, message, lane) ?? false, flush: () => transport?.flush(), setPeers: (peers) => transport?.setPeers(peers) },
      clock: systemClock,
      nonceSeed: drawNonceSeed(),
      observer: observerOf(service, log),
      ...(options.timings === undefined ? {} : { timings: options.timings }),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.snapshotBytes === undefined ? {} : { snapshotBytes: options.snapshotBytes }),
    });
    disk.attach(diskListener(member, service, log));
    transport = peerTransport(options, { storage, founding, member, disk, log });
    transport.start();
    const started = transport;
    return { member, links: () => started.links() };
  };
  const service = new NodeService({ storage, version: VERSION, begin });
  const api = createApi(service, {
    onPeerUpgrade: (request, socket, head) => {
      if (transport === null) socket.destroy();
      else transport.handleUpgrade(request, socket, head);
    },
    onFault: (error, request) => log.error({ err: error, ...request }, "a request met a fault"),
  });
  const listening = await api.listen(address);
  const url = `http://${listening.host.includes(":") ? `[${listening.host}]` : listening.host}:${listening.port}`;
  await service.beginIfFounded();
  log.info({ url, incarnation: storage.identity.incarnation, cluster: storage.founding?.cluster ?? null }, "listening");
  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    log.info("stopping");
    await service.handOver(null);
    // The API takes no more requests and waits for the answers that are under way; those may need the links to the next leader.
    const closed = api.close();
    await service.member?.drained(DRAIN_MS);
    await service.member?.stop();
    await transport?.close();
    await closed;
    await storage.close();
    service.memberMetrics.close();
    log.info("stopped");
    if (!(await output.flush(LOG_FLUSH_MS))) throw new Error("The log is not read any more; its last lines are lost.");
  };
  return { url, service, stop: () => (stopping ??= stop()) };
}

function peerTransport(
  options: NodeOptions,
  parts: { storage: Storage; founding: Founding; member: Member; disk: DiskRelay; log: Logger },
): Transport {
  const { storage, founding, member, disk, log } = parts;
  const boot = randomBytes(8).toString("hex");
  return new Transport({
    hello: () => ({
      cluster: founding.cluster,
      incarnation: storage.identity.incarnation,
      member: storage.identity.member,
      boot,
      version: PEER_PROTOCOL_VERSION,
      lastRecord: disk.durableThrough,
    }),
    peers: member.peers,
    resolve: peerAddresses(options.peersFile),
    random: () => systemClock.random(),
    listener: {
      onMessage: (from, message) => member.receive(from, message),
      onLinkUp: (peer, hello) => {
        log.info({ peer: hello.member }, "link up");
        member.linkUp(peer);
      },
      onLinkDown: (peer, reason) => {
        log.info({ peer, reason }, "link down");
        member.linkDown(peer);
      },
      onRefused: (refusal) => log.warn({ refusal }, "a link was refused"),
    },
  });
}

function observerOf(service: NodeService, log: Logger): ConstructorParameters<typeof Member>[0]["observer"] {
  const metrics = service.memberMetrics;
  return {
    event: (event) => {
      log.info({ event }, event.type);
      service.observe(event);
    },
    proposalsEnded: (outcome, commands) => metrics.proposalsEnded(outcome, commands),
    committed: (seconds) => metrics.committed(seconds),
    turnEnded: (seconds) => metrics.turnEnded(seconds),
    dropped: (reason) => metrics.messagesDropped(reason),
    warning: (message, error) => log.warn({ err: error }, message),
  };
}

function diskListener(member: Member, service: NodeService, log: Logger): StorageListener {
  return {
    onDurable: (record) => member.durable(record),
    onSyncFailed: (error) => {
      log.error({ err: error }, "the disk failed; this member does not vote any more");
      service.memberMetrics.syncFailed();
      member.syncFailed(error);
    },
    onSync: (sample) => service.memberMetrics.synced(sample.seconds),
  };
}

function parseListen(listen: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || !(port <= 65_535)) throw new SynodError("SYNOD_ERR_BAD_REQUEST", `Not host:port: ${listen}`);
  return { host, port };
}
