import { join } from "node:path";
import { findPorts } from "../../src/local/ports.ts";
import { Program } from "../local/harness.ts";
import { call, get } from "./http.ts";
import { NODE_UNDER_TEST, PATIENCE_MS, type TestCluster, until } from "./cluster.ts";

/** A member's process that nobody manages, as on a machine of its own: the cluster hears of it when it is added. */
export class Newcomer {
  readonly name: string;
  readonly url: string;
  readonly #command: readonly string[];
  #program: Program | null = null;

  private constructor(name: string, url: string, command: readonly string[]) {
    this.name = name;
    this.url = url;
    this.#command = command;
  }

  /** Starts one with an empty folder beside the cluster's nodes; resolves when it listens. */
  static async start(cluster: TestCluster, name: string): Promise<Newcomer> {
    const [port] = await findPorts("127.0.0.1", [null]);
    const address = `127.0.0.1:${port}`;
    const command = [
      process.execPath, NODE_UNDER_TEST, "--name", name, "--data", join(cluster.folder, name), "--listen", address,
      "--peers-file", join(cluster.folder, "peers.json"), "--stop-with-parent",
    ];
    const newcomer = new Newcomer(name, `http://${address}`, command);
    await newcomer.start();
    return newcomer;
  }

  get address(): string { return new URL(this.url).host; }

  async start(): Promise<void> {
    this.#program = new Program(this.#command);
    await this.#program.says(/"synod":"listening"/);
  }

  /** SIGKILL; resolves when the process has ended. */
  async kill(): Promise<void> {
    this.#program?.child.kill("SIGKILL");
    await this.#program?.ended;
    this.#program = null;
  }

  pause(): void { this.#program?.child.kill("SIGSTOP"); }
  resume(): void { this.#program?.child.kill("SIGCONT"); }

  async status(): Promise<{ readonly role: string; readonly leader: string | null; readonly incarnation: string; readonly ballot: unknown }> {
    const { body } = await call(`${this.url}/v1/status`, { timeoutMs: PATIENCE_MS });
    return JSON.parse(body) as Awaited<ReturnType<Newcomer["status"]>>;
  }

  untilRole(role: string): Promise<void> {
    return until(`${this.name} is ${role}`, async () => {
      const status = await this.status();
      return status.role === role ? null : status.role;
    });
  }

  untilServing(): Promise<void> {
    return until(`${this.name} serves`, async () => {
      const { status, code } = await get(this.url, "anything");
      return status === 200 || code === "SYNOD_ERR_NOT_FOUND" ? null : `${status} ${code}`;
    });
  }
}

/** Runs `body` with a new member of each name that was started, and ends them. */
export async function withNewcomers<const Names extends readonly string[]>(
  cluster: TestCluster, names: Names, body: (...newcomers: { [Name in keyof Names]: Newcomer }) => Promise<void>,
): Promise<void> {
  const newcomers = await Promise.all(names.map((name) => Newcomer.start(cluster, name)));
  try {
    await body(...(newcomers as { [Name in keyof Names]: Newcomer }));
  } finally {
    await Promise.all(newcomers.map((newcomer) => newcomer.kill()));
  }
}
