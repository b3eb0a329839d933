import { lookup, Resolver } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { type Clock, systemClock } from "./clock.ts";

/** The two ways to find a host's addresses. */
export interface NameSources {
  /** The machine's own: it knows the hosts file and search domains, and holds a thread until it has ended, for as long as that takes. */
  system(host: string): Promise<readonly string[]>;
  /** Asks the name servers for exactly this name, without a thread. */
  servers(host: string): Promise<readonly string[]>;
}

/** The name servers are asked too when the system has not answered by then. */
const HEDGE_MS = 100;
/** A name that was not found by then is not found. */
const LIMIT_MS = 1_000;
const SERVER_TIMEOUT_MS = 400;
const SERVER_TRIES = 2;

export const MACHINE_NAMES: NameSources = {
  system: async (host) => (await lookup(host, { all: true, order: "verbatim" })).map(({ address }) => address),
  servers: async (host) => {
    // A new one each time, since it reads only once which name servers there are.
    const resolver = new Resolver({ timeout: SERVER_TIMEOUT_MS, tries: SERVER_TRIES });
    const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const found = [four, six].flatMap((result) => (result.status === "fulfilled" ? result.value : []));
    if (found.length === 0 && four.status === "rejected") throw four.reason;
    return found;
  },
};

/**
 * Finds the addresses of hosts, anew each time. The system's lookups run on the few threads on which files are read as well, of which
 * libuv lets them have half; a silent name server holds those for many seconds, and every other name waits behind. So there is one
 * of them at a time, whatever is asked, and the name servers are asked directly while it does not answer.
 */
export class NameLookup {
  readonly #sources: NameSources;
  readonly #clock: Clock;
  /** What the system is asked or is to be asked, by host. */
  readonly #asked = new Map<string, Promise<readonly string[]>>();
  #turn: Promise<unknown> = Promise.resolve();
  #finds = 0;

  constructor(sources: NameSources = MACHINE_NAMES, clock: Clock = systemClock) {
    this.#sources = sources;
    this.#clock = clock;
  }

  /** At least one address, each time another one first, as any may be dead. Rejects when there is none, and after one second. */
  async find(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    const addresses = await this.#search(host);
    if (addresses.length === 0) throw new Error(`${host} has no address`);
    const first = this.#finds++ % addresses.length;
    return [...addresses.slice(first), ...addresses.slice(0, first)];
  }

  /** For sockets that are given a host's name. */
  readonly forSocket: LookupFunction = (host, { all }, callback) => void this.#tell(host, all === true, callback);

  async #tell(host: string, all: boolean, callback: Parameters<LookupFunction>[2]): Promise<void> {
    const addresses = await this.find(host).catch((error: unknown) => error as Error);
    if (addresses instanceof Error) return callback(addresses, "");
    const found = addresses.map((address) => ({ address, family: isIP(address) }));
    if (all) callback(null, found);
    else callback(null, found[0]?.address ?? "", found[0]?.family);
  }

  #search(host: string): Promise<readonly string[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
    const cancels = [
      // That they do not know the name says little: it may be one of the hosts file.
      this.#clock.schedule(HEDGE_MS, () => void this.#sources.servers(host).then(resolve, () => {})),
      this.#clock.schedule(LIMIT_MS, () => reject(new Error(`no address of ${host} was found in time`))),
    ];
    this.#askSystem(host).then(resolve, reject);
    return promise.finally(() => cancels.forEach((cancel) => cancel()));
  }

  #askSystem(host: string): Promise<readonly string[]> {
    const asked = this.#asked.get(host);
    if (asked !== undefined) return asked;
    const answer = this.#turn.then(() => this.#sources.system(host)).finally(() => this.#asked.delete(host));
    this.#turn = answer.catch(() => {});
    this.#asked.set(host, answer);
    return answer;
  }
}
