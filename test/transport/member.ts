import { type Server, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { MemberInfo } from "../../src/paxos/configuration.ts";
import { type Incarnation, incarnation } from "../../src/paxos/ids.ts";
import type { Clock } from "../../src/transport/clock.ts";
import type { Hello } from "../../src/transport/hello.ts";
import type { LinkKeys } from "../../src/transport/link-proof.ts";
import type { NameLookup } from "../../src/transport/name-lookup.ts";
import type { TransportLimits } from "../../src/transport/limits.ts";
import { type Refusal, Transport } from "../../src/transport/transport.ts";

/** A member's incarnation by number; they sort as the numbers do. */
export function life(number: number): Incarnation {
  return incarnation(number.toString(16).padStart(32, "0"));
}

export function text(message: Uint8Array): string {
  return Buffer.from(message).toString("utf8");
}

export function bytes(message: string): Uint8Array {
  return Buffer.from(message, "utf8");
}

export interface MemberOptions {
  readonly number: number;
  readonly port?: number;
  readonly hello?: Partial<Hello>;
  readonly limits?: Partial<TransportLimits>;
  readonly clock?: Clock;
  readonly keys?: LinkKeys;
  readonly names?: NameLookup;
  readonly onMessage?: (from: Incarnation, message: Uint8Array) => void;
}

let boots = 0;

/** A transport behind a real http server on loopback, which writes down all it hears. */
export class Member {
  readonly number: number;
  readonly hello: Hello;
  readonly transport: Transport;
  readonly server: Server;
  /** Sockets that dialled this member and were upgraded. */
  readonly inbound = new Set<Socket>();
  readonly messages: { from: Incarnation; message: Uint8Array }[] = [];
  readonly log: string[] = [];
  readonly hellos: Hello[] = [];
  readonly refusals: Refusal[] = [];
  readonly addresses = new Map<Incarnation, string>();
  #waiters: { condition: () => boolean; resolve: () => void }[] = [];

  constructor(options: MemberOptions) {
    this.number = options.number;
    boots += 1;
    this.hello = {
      cluster: "c",
      incarnation: life(options.number),
      member: `m${options.number}`,
      boot: `boot-${boots}`,
      version: 1,
      oldestVersion: 1,
      lastRecord: options.number * 10,
      ...options.hello,
    };
    this.server = createServer((_, response) => response.writeHead(404).end());
    this.transport = new Transport({
      hello: () => this.hello,
      peers: [],
      resolve: (peer) => this.addresses.get(peer.incarnation) ?? null,
      random: () => 0.5,
      limits: { backoffMinMs: 5, backoffMaxMs: 20, ...options.limits },
      ...(options.clock === undefined ? {} : { clock: options.clock }),
      ...(options.names === undefined ? {} : { names: options.names }),
      ...(options.keys === undefined ? {} : { keys: options.keys }),
      listener: {
        onMessage: (from, message) => {
          this.messages.push({ from, message });
          options.onMessage?.(from, message);
          this.changed();
        },
        onLinkUp: (peer, hello) => {
          this.hellos.push(hello);
          this.#write(`up ${numberOf(peer)}`);
        },
        onLinkDown: (peer) => this.#write(`down ${numberOf(peer)}`),
        onRefused: (refusal) => {
          this.refusals.push(refusal);
          this.changed();
        },
      },
    });
    this.server.on("upgrade", (request, socket, head) => {
      this.inbound.add(socket as Socket);
      socket.on("close", () => {
        this.inbound.delete(socket as Socket);
        this.changed();
      });
      this.transport.handleUpgrade(request, socket, head);
    });
  }

  static async listening(options: MemberOptions): Promise<Member> {
    const member = new Member(options);
    await new Promise<void>((resolve) => member.server.listen(options.port ?? 0, "127.0.0.1", resolve));
    return member;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get info(): MemberInfo {
    return { incarnation: this.hello.incarnation, name: this.hello.member, address: `127.0.0.1:${this.port}` };
  }

  get texts(): string[] {
    return this.messages.map(({ message }) => text(message));
  }

  /** Puts `others` into the list, with the addresses where they are. */
  knows(...others: Member[]): this {
    for (const other of others) this.addresses.set(other.hello.incarnation, other.info.address);
    this.transport.setPeers([this.info, ...others.map((other) => other.info)]);
    return this;
  }

  up(other: Member): boolean {
    return this.transport.links().some((link) => link.peer === other.hello.incarnation && link.state === "up");
  }

  /** Resolves as soon as `condition` holds; it is looked at whenever something was heard. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ condition, resolve }));
  }

  changed(): void {
    const ready = this.#waiters.filter(({ condition }) => condition());
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
  }

  async stop(): Promise<void> {
    const stopped = new Promise((resolve) => this.server.close(resolve));
    await this.transport.close();
    await stopped;
  }

  #write(line: string): void {
    this.log.push(line);
    this.changed();
  }
}

function numberOf(peer: Incarnation): number {
  return Number.parseInt(peer, 16);
}

/** Resolves when both have a link to each other. */
export async function linked(one: Member, other: Member): Promise<void> {
  await Promise.all([one.until(() => one.up(other)), other.until(() => other.up(one))]);
}

/** Resolves when `condition` holds after something was heard by either. */
export function untilEither(one: Member, other: Member, condition: () => boolean): Promise<void> {
  return Promise.race([one.until(condition), other.until(condition)]);
}

/** What a hand-made peer says of itself. */
export function rawHello(number: number, boot = "raw"): Hello {
  return { cluster: "c", incarnation: life(number), member: `raw${number}`, boot, version: 1, oldestVersion: 1, lastRecord: 0 };
}
