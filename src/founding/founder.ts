import type { KeyRing } from "../auth/key-ring.ts";
import { SynodError } from "../errors/synod-error.ts";
import { MAX_MEMBERS } from "../paxos/configuration.ts";
import { type Incarnation, slot } from "../paxos/ids.ts";
import type { Founding } from "../storage/interface.ts";
import { askIdentity, type Fetch, type FoundingIdentity, sendFounding } from "./member-call.ts";
import { readRecord, type RecordFiles, writeRecord } from "./record.ts";

export interface FounderOptions {
  /** The file that keeps the founding document. One file stands for one cluster, for ever. */
  readonly record: string;
  /** Base URLs of all members, 1 to 9. */
  readonly urls: readonly string[];
  readonly fetch: Fetch;
  readonly files: RecordFiles;
  /** The keys that the members ask for; absent or null: none. */
  readonly keys?: KeyRing | null;
  /** A random cluster id: 32 lowercase hex digits. */
  readonly drawClusterId: () => string;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** How long members that do not answer are waited for, in milliseconds, in all. */
  readonly timeoutMs: number;
  readonly report?: (line: string) => void;
}

/** How long to wait before a member that did not answer is asked again. */
const PAUSE_MS = 100;
/** How long one call may take. */
const CALL_MS = 5_000;

/**
 * Founds a cluster of the members at `urls` (rule 13) and resolves with its document once every member has confirmed it.
 * It may be run again after a crash at any point: the recorded document is then sent again, never another one.
 *
 * Throws `SYNOD_ERR_ALREADY_FOUNDED` when a reachable member belongs to another cluster, `SYNOD_ERR_WRONG_INCARNATION` when
 * a member is not the one that was recorded (its folder was lost or exchanged), `SYNOD_ERR_UNREACHABLE` when members are
 * still missing after `timeoutMs`.
 */
export async function foundCluster(options: FounderOptions): Promise<Founding> {
  checkUrls(options.urls);
  const deadline = options.now() + options.timeoutMs;
  const kept = await readRecord(options.files, options.record);
  if (kept === null) options.report?.(`asking every member who it is (${options.urls.length})`);
  const founding = kept ?? (await drawFounding(options, deadline));
  options.report?.(`founding cluster ${founding.cluster}`);
  const confirmed = new Set(await forEveryMember(options, deadline, (url) => confirm(options, url, founding)));
  const missed = founding.configuration.voters.filter((voter) => !confirmed.has(voter.incarnation));
  if (missed.length > 0) {
    const names = missed.map((voter) => voter.name).join(", ");
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", `${options.record} also names ${names}: give the addresses of all its members.`);
  }
  return founding;
}

/** Collects every member's incarnation, and records the document made of them. */
async function drawFounding(options: FounderOptions, deadline: number): Promise<Founding> {
  const found = await forEveryMember(options, deadline, (url) => askUnfounded(options, url));
  const names = new Set(found.map((identity) => identity.member));
  const incarnations = new Set(found.map((identity) => identity.incarnation));
  if (names.size !== found.length || incarnations.size !== found.length) {
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", "Two of the addresses lead to the same member, or two members have one name.");
  }
  const voters = found.map((identity, index) => ({
    incarnation: identity.incarnation, name: identity.member, address: addressOf(options.urls[index] ?? ""),
  }));
  const founding = { cluster: options.drawClusterId(), configuration: { voters, learners: [], removed: [] }, configurationSlot: slot(0) };
  await writeRecord(options.files, options.record, founding);
  return founding;
}

async function askUnfounded(options: FounderOptions, url: string): Promise<FoundingIdentity | null> {
  const identity = await askIdentity(options.fetch, url, CALL_MS);
  if (identity !== null && identity.cluster !== null) throw alreadyFounded(identity, url);
  return identity;
}

/** One attempt to have the member at `url` hold the document. Its incarnation once it does, null when it must be asked again. */
async function confirm(options: FounderOptions, url: string, founding: Founding): Promise<Incarnation | null> {
  const identity = await askIdentity(options.fetch, url, CALL_MS);
  if (identity === null) return null;
  if (identity.cluster === founding.cluster) return identity.incarnation;
  if (identity.cluster !== null) throw alreadyFounded(identity, url);
  if (!founding.configuration.voters.some((voter) => voter.incarnation === identity.incarnation)) {
    throw new SynodError(
      "SYNOD_ERR_WRONG_INCARNATION",
      `${identity.member} at ${url} is not a member that ${options.record} names: its data folder was lost or exchanged.`,
    );
  }
  const { taken } = await sendFounding(options.fetch, url, identity.incarnation, founding, CALL_MS, options.keys ?? null);
  return taken ? identity.incarnation : null;
}

/** Runs `attempt` for every member at once, each again and again until it has an answer or the deadline has passed. */
async function forEveryMember<T>(
  options: FounderOptions, deadline: number, attempt: (url: string) => Promise<T | null>,
): Promise<T[]> {
  const failed = new AbortController();
  const one = async (url: string): Promise<T> => {
    for (;;) {
      const answer = await attempt(url);
      if (answer !== null) return answer;
      if (options.now() >= deadline || failed.signal.aborted) {
        throw new SynodError("SYNOD_ERR_UNREACHABLE", `${url} did not answer within ${options.timeoutMs} ms. Run the founder again.`);
      }
      await options.pause(PAUSE_MS);
    }
  };
  const all = options.urls.map((url) => one(url).catch((error: unknown) => { failed.abort(); throw error; }));
  try {
    return await Promise.all(all);
  } finally {
    await Promise.allSettled(all);
  }
}

function checkUrls(urls: readonly string[]): void {
  if (urls.length < 1 || urls.length > MAX_MEMBERS) {
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", `A cluster is founded of 1 to ${MAX_MEMBERS} members, not ${urls.length}.`);
  }
  for (const url of urls) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new SynodError("SYNOD_ERR_BAD_REQUEST", `"${url}" is not an http URL, such as http://127.0.0.1:7001`);
    }
  }
}

function addressOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === "" ? (protocol === "https:" ? "443" : "80") : port}`;
}

function alreadyFounded(identity: FoundingIdentity, url: string): SynodError {
  return new SynodError(
    "SYNOD_ERR_ALREADY_FOUNDED", `${identity.member} at ${url} belongs to cluster ${identity.cluster} already; nothing was founded.`,
  );
}
