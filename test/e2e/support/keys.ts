import { MEMBER_PORT } from "../../../src/controller/resource/names.ts";
import type { PaxosUnderTest } from "./paxos-under-test.ts";

/** Writes and reads by the command of a member's own pod, at that member: a Service follows a pod that has become ready a second later only. */
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
    const endpoint = ["--endpoint", `http://127.0.0.1:${MEMBER_PORT}`];
    return this.#cluster.kubectl("exec", `${this.#cluster.name}-0`, "--", "synod", ...args, ...endpoint);
  }
}
