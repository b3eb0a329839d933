import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { pino, type Logger } from "pino";
import { readKeyFolder, watchKeys } from "../auth/key-folder.ts";
import { KeyRing } from "../auth/key-ring.ts";
import { createApi } from "../api/server.ts";
import { assert } from "../codec/assert.ts";
import { SynodError } from "../errors/synod-error.ts";
import { type Limits, type Timings } from "../paxos/interface.ts";
import { NodeFileSystem } from "../storage/file-system.ts";
import { type Fence, fenceOf, noteFence } from "../storage/fence-file.ts";
import { holdFencedFolder } from "../storage/fenced-folder.ts";
import type { FileSystem, Founding, MemberFolder, Storage, StorageListener } from "../storage/interface.ts";
import { commitClearance } from "../storage/folder-swap.ts";
import { openStorage, type StorageOptions } from "../storage/open.ts";
import { CLOSE } from "../transport/handshake.ts";
import { NameLookup } from "../transport/name-lookup.ts";
import { Transport } from "../transport/transport.ts";
import { drawNonceSeed, systemClock } from "./clock.ts";
import { LogOutput } from "./log-output.ts";
import { Member } from "./member.ts";
import type { MemberObserver } from "./member-parts.ts";
import { fetchByName } from "./fetch-by-name.ts";
import { openWhenFree } from "./folder-wait.ts";
import { fetchMembers } from "./members-call.ts";
import { NodeService } from "./node-service.ts";
import { PEER_CODEC } from "./peer-codec.ts";
import { peerAddresses } from "./peer-addresses.ts";
import { restoreState } from "./restore-state.ts";
import { checkTimings } from "./timings.ts";
import { VERSION } from "./version.ts";

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
  /** A folder with the cluster's keys, as a Secret is mounted; absent: members and calls are not asked for a key. */
  readonly keyFolder?: string;
  readonly logLevel?: string;
  /** How long the data folder is waited for when another process holds it, in seconds; by default it is not. */
  readonly waitForFolder?: number;
  /** Aborted when a start that waits is to be given up. */
  readonly signal?: AbortSignal;
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
  /** Resolves when the member has given up what it kept: its process is to end, and to be started anew. */
  readonly renewed: Promise<void>;
  /** Hands leadership over, answers what is open, closes every socket and file. Ends within about three seconds. */
  stop(): Promise<void>;
}

/** How long the end of a member waits for its log to be read. */
const LOG_FLUSH_MS = 500;

/**
 * Starts one member: opens its folder, listens, and takes part in its cluster if it was founded. Throws `SynodError`. A member
 * whose folder may not be used any more is started too, so that it can say why: it answers nothing else.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const output = new LogOutput();
  const log = pino({ name: "synod", level: options.logLevel ?? "info", base: { member: options.name } }, output);
  const address = parseListen(options.listen);
  const timings = checkTimings(options.timings ?? {});
  const keys = options.keyFolder === undefined ? null : new KeyRing(await readKeyFolder(options.keyFolder));
  const disk = new DiskRelay();
  const fileSystem = options.fileSystem ?? new NodeFileSystem();
  const folder = await openWhenFree(() => openOrFence(options, fileSystem, disk), {
    forMs: (options.waitForFolder ?? 0) * 1_000,
    nowMs: () => systemClock.nowMs(),
    pause: (ms) => pause(ms),
    waiting: (waitedMs) => log.warn({ data: options.data, waitedMs: Math.round(waitedMs) }, "another process uses the data folder; waiting for it to end"),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  try {
    return await serve(options, { log, output, fileSystem, folder, disk, address, keys, timings });
  } catch (error) {
    await folder.close();
    throw error;
  }
}

/** The folder as it is used, or held only. */
type Folder = Storage | (MemberFolder & { readonly fence: Fence });

async function openOrFence(options: NodeOptions, fileSystem: FileSystem, listener: StorageListener): Promise<Folder> {
  const { data: folder, name: member } = options;
  try {
    return await openStorage({ fileSystem, folder, member, listener, ...(options.storage === undefined ? {} : { options: options.storage }) });
  } catch (error) {
    const fence = fenceOf(error);
    if (fence === null) throw error;
    return { ...(await holdFencedFolder(fileSystem, folder, member, fence)), fence };
  }
}

/** The storage reports from its opening on, and the member that listens comes later. */
class DiskRelay implements StorageListener {
  #listener: StorageListener | null = null;
  #failure: Error | null = null;
  #full = false;

  onDurable(record: number): void {
    this.#listener?.onDurable(record);
  }

  onSyncFailed(error: Error): void {
    this.#failure = error;
    this.#listener?.onSyncFailed(error);
  }

  onSyncRepeated(error: Error): void {
    this.#listener?.onSyncRepeated?.(error);
  }

  /** From now on `listener` is told, first of a failure that came before it. */
  attach(listener: StorageListener): void {
    this.#listener = listener;
    if (this.#full) listener.onSpace?.(true);
    if (this.#failure !== null) listener.onSyncFailed(this.#failure);
  }

  onSpace(full: boolean): void {
    this.#full = full;
    this.#listener?.onSpace?.(full);
  }

  onSync(sample: { readonly seconds: number; readonly records: number; readonly bytes: number }): void {
    this.#listener?.onSync?.(sample);
  }
}

interface Opened {
  readonly log: Logger;
  readonly output: LogOutput;
  readonly fileSystem: FileSystem;
  readonly folder: Folder;
  readonly disk: DiskRelay;
  readonly address: { readonly host: string; readonly port: number };
  readonly keys: KeyRing | null;
  readonly timings: Timings;
}

async function serve(options: NodeOptions, opened: Opened): Promise<RunningNode> {
  const { log, output, folder, disk, address, keys, timings } = opened;
  const renewed = Promise.withResolvers<void>();
  const addresses = peerAddresses(options.peersFile);
  const names = new NameLookup();
  let transport: Transport | null = null;
  const begin = async (founding: Founding): Promise<{ member: Member; links(): ReturnType<Transport["links"]> }> => {
    assert(!("fence" in folder), "a fenced folder begins no member");
    const storage = folder;
    const member = new Member({
      storage,
      founding,
      state: await restoreState(storage),
      links: {
        send: (to, message, lane) => transport?.send(to, message, lane) ?? false, flush: () => transport?.flush(),
        setPeers: (peers) => transport?.setPeers(peers),
        heardRecords: (from, records) => transport?.heardRecords(from, records),
      },
      clock: systemClock,
      nonceSeed: drawNonceSeed(),
      observer: {
        ...observerOf(service, log),
        fenced: (fence) => {
          tellFence(service, opened, options.data, fence);
          if (fence.kind !== "disk") void transport?.close();
        },
      },
      timings,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.snapshotBytes === undefined ? {} : { snapshotBytes: options.snapshotBytes }),
    });
    disk.attach(diskListener(member, service, log));
    transport = peerTransport({ storage, founding, member, log, keys, names, addresses });
    transport.start();
    const started = transport;
    return { member, links: () => started.links() };
  };
  const service = new NodeService({
    storage: folder, version: VERSION, keys, begin,
    fetch: fetchByName(names),
    askMembers: async (peer) => fetchMembers(fetchByName(names), await addresses(peer)),
    renew: () => giveUp(opened, options.data).then(renewed.resolve),
  });
  const api = createApi(service, {
    onPeerUpgrade: (request, socket, head) => {
      if (transport === null) socket.destroy();
      else transport.handleUpgrade(request, socket, head);
    },
    ...(keys === null ? {} : { authorizes: (header) => keys.authorizes(header) }),
    onFault: (error, request) => log.error({ err: error, ...request }, "a request met a fault"),
  });
  const listening = await api.listen(address);
  const url = `http://${listening.host.includes(":") ? `[${listening.host}]` : listening.host}:${listening.port}`;
  try {
    await beginUnlessFenced(service, opened, options.data);
  } catch (error) {
    await api.close();
    throw error;
  }
  log.info({ url, incarnation: folder.identity.incarnation, cluster: folder.founding?.cluster ?? null }, "listening");
  const stopKeys = keys === null || options.keyFolder === undefined ? () => {} : followKeys(keys, options.keyFolder, log);
  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    log.info("stopping");
    stopKeys();
    await service.handOver(null);
    // The API takes no more requests and waits for the answers that are under way; those may need the links to the next leader.
    const closed = api.close();
    await service.member?.drained(DRAIN_MS);
    await service.member?.stop();
    await transport?.close();
    await closed;
    await folder.close();
    service.memberMetrics.close();
    log.info("stopped");
    if (!(await output.flush(LOG_FLUSH_MS))) throw new Error("The log is not read any more; its last lines are lost.");
  };
  return { url, service, renewed: renewed.promise, stop: () => (stopping ??= stop()) };
}

/** A snapshot that proves damaged when it is restored fences the member, as one does that is found when the folder is opened. */
async function beginUnlessFenced(service: NodeService, opened: Opened, path: string): Promise<void> {
  const { folder } = opened;
  if ("fence" in folder) return tellFence(service, opened, path, folder.fence);
  try {
    await service.beginIfFounded();
  } catch (error) {
    const fence = fenceOf(error);
    if (fence === null) throw error;
    tellFence(service, opened, path, fence);
  }
}

async function giveUp({ fileSystem, folder, log }: Opened, path: string): Promise<void> {
  await commitClearance(fileSystem, path);
  log.warn({ incarnation: folder.identity.incarnation }, "what this member kept is given up; started anew, it is a new member");
}

/** Says why there is no vote of this member any more, and keeps it in the folder when that is for ever. */
function tellFence(service: NodeService, { log, fileSystem }: Opened, path: string, fence: Fence): void {
  log.error({ fence: fence.kind }, `SYNOD_ERR_FENCED: this member does not vote any more: ${fence.reason}`);
  service.noteFence(fence);
  if (fence.kind === "disk") return;
  noteFence(fileSystem, path, fence).catch((error: unknown) => log.error({ err: error }, "that this member is fenced could not be kept"));
}

function peerTransport(
  parts: { storage: Storage; founding: Founding; member: Member; log: Logger; keys: KeyRing | null; names: NameLookup; addresses: ReturnType<typeof peerAddresses> },
): Transport {
  const { storage, founding, member, log, keys, names, addresses } = parts;
  const boot = randomBytes(8).toString("hex");
  return new Transport({
    hello: () => ({
      cluster: founding.cluster,
      incarnation: storage.identity.incarnation,
      member: storage.identity.member,
      boot,
      version: PEER_CODEC.newest,
      oldestVersion: PEER_CODEC.oldest,
      lastRecord: storage.stats().records,
    }),
    peers: member.peers,
    resolve: addresses,
    random: () => systemClock.random(),
    keys,
    names,
    listener: {
      onMessage: (from, message) => member.receive(from, message),
      onLinkUp: (peer, hello) => {
        log.info({ peer: hello.member }, "link up");
        member.linkUp(peer, Math.min(hello.version, PEER_CODEC.newest));
      },
      onLinkDown: (peer, reason) => {
        log.info({ peer, reason }, "link down");
        member.linkDown(peer);
      },
      onRefused: (refusal) => {
        log.warn({ refusal }, "a link was refused");
        if (refusal.by === "peer" && refusal.code === CLOSE.copied) member.fence({ kind: "copied", reason: refusal.message });
      },
    },
  });
}

function followKeys(keys: KeyRing, folder: string, log: Logger): () => void {
  log.info({ keys: keys.fingerprints }, "the cluster has a key");
  return watchKeys(keys, {
    read: () => readKeyFolder(folder),
    every: (periodMs, task) => systemClock.every(periodMs, task),
    changed: (fingerprints) => log.info({ keys: fingerprints }, "the cluster's keys have changed"),
    failed: (error) => log.warn({ err: error }, "the key folder cannot be read; the keys that are known go on"),
  });
}

function observerOf(service: NodeService, log: Logger): Omit<MemberObserver, "fenced"> {
  const metrics = service.memberMetrics;
  return {
    event: (event) => {
      log.info({ event }, event.type);
      service.observe(event);
    },
    proposalsEnded: (outcome, commands) => metrics.proposalsEnded(outcome, commands),
    committed: (seconds) => metrics.committed(seconds),
    applied: (results) => metrics.commandsApplied(results),
    turnEnded: (seconds) => metrics.turnEnded(seconds),
    dropped: (reason) => metrics.messagesDropped(reason),
    diskSpace: (full) => {
      if (full) log.warn("SYNOD_ERR_NO_SPACE: the disk is full; what makes the state grow is refused until there is room again");
      else log.info("the disk has room again");
      service.noteDiskSpace(full);
    },
    warning: (message, error) => log.warn({ err: error }, message),
  };
}

function diskListener(member: Member, service: NodeService, log: Logger): StorageListener {
  return {
    onDurable: (record) => member.durable(record),
    onSyncFailed: (error) => {
      log.error({ err: error }, "the disk failed");
      service.memberMetrics.syncFailed();
      member.syncFailed(error);
    },
    onSyncRepeated: (error) => {
      log.warn({ err: error }, "a sync of the log failed; what it should have made durable is written again elsewhere");
      service.memberMetrics.syncFailed();
    },
    onSpace: (full) => member.diskSpace(full),
    onSync: (sample) => service.memberMetrics.synced(sample),
  };
}

function parseListen(listen: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || !(port <= 65_535)) throw new SynodError("SYNOD_ERR_BAD_REQUEST", `Not host:port: ${listen}`);
  return { host, port };
}
