import type { PaxosUnderTest } from "./paxos-under-test.ts";

/** Writes and reads as the chart's notes tell people to: by the command of a member's own pod, through the client Service. */
export class Keys {
  readonly #cluster: PaxosUnderTest;

  constructor(cluster: PaxosUnderTest) {
    this.#cluster = cluster;
  }

  async put(key: string, value: string): Promise<void> {
    await this.#synod("kv", "put", key, value);
  }

  async get(key: string): Promise<string> {
    return (await this.#synod("kv", "get", key)).trim();
  }

  #synod(...args: readonly string[]): Promise<string> {
    const endpoint = ["--endpoint", `http://${this.#cluster.serviceAddress}`];
    return this.#cluster.kubectl("exec", `${this.#cluster.name}-0`, "--", "synod", ...args, ...endpoint);
  }
}
