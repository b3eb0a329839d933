import { realpathSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { SeededRandom } from "../../../src/scenario/seeded-random.ts";
import { Epochs } from "./epochs.ts";
import { nowNs } from "../../history/now.ts";
import { Record } from "./record.ts";
import { CALL_TIMEOUT_MS, CONTROL_PORT, type LoadSettings, settingsFrom } from "./settings.ts";
import { Worker } from "./worker.ts";

/*
 * The load clients of one pod. It runs in the published image, with the published client library, and brings nothing of its own
 * but these few files, which are mounted. All its clients share one process and thus one clock, so their times compare.
 *
 *     GET  /operations?from=N   the operations from number N on, as JSON lines; those before N are forgotten
 *     GET  /time                its clock now, as nanoseconds
 *     POST /epoch               from now on other keys
 *     POST /finish              ends the load, reads every key once through every client, and answers when that is done
 */

const MAX_FETCHED = 20_000;

async function importClient(): Promise<typeof import("../../../src/index.ts")> {
  const command = realpathSync(process.env["SYNOD_COMMAND"] ?? "/usr/local/bin/synod");
  return (await import(pathToFileURL(join(dirname(command), "../dist/index.js")).href)) as typeof import("../../../src/index.ts");
}

class Load {
  readonly #epochs: Epochs;
  readonly #record = new Record();
  readonly #workers: readonly Worker[];
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(settings: LoadSettings, { SynodClient }: Awaited<ReturnType<typeof importClient>>) {
    const { endpoints, workers, keys, seed, thinkMs, prefix } = settings;
    const random = new SeededRandom(seed);
    this.#epochs = new Epochs(prefix, keys);
    this.#workers = Array.from({ length: workers }, (_, number) => {
      // Each begins with another member, so that they do not all lose their connection to the same one.
      const own = endpoints.map((_endpoint, index) => endpoints[(index + number) % endpoints.length] as string);
      const idempotencyKeys = number % 2 === 1;
      const client = new SynodClient({ endpoints: own, session: !idempotencyKeys, timeoutMs: CALL_TIMEOUT_MS });
      const options = { number, client, idempotencyKeys, thinkMs, prefix, through: own.join(",") };
      return new Worker(options, random.fork(), this.#epochs, this.#record);
    });
    this.#running = Promise.all(this.#workers.map((worker) => worker.run(this.#stop.signal)));
    this.#running.catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  }

  operations(from: number): string {
    return this.#record.take(from, MAX_FETCHED).map((operation) => `${JSON.stringify(operation)}\n`).join("");
  }

  beginEpoch(): void {
    this.#epochs.begin();
  }

  async finish(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    const keys = this.#epochs.all();
    await Promise.all(this.#workers.map(async (worker) => {
      for (const key of keys) await worker.perform({ op: "read", key });
      await worker.close();
    }));
  }
}

async function answer(load: Load, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://load");
  if (pathname === "/time") return void response.end(String(nowNs()));
  if (pathname === "/operations") return void response.end(load.operations(Number(searchParams.get("from") ?? 0)));
  if (request.method === "POST" && pathname === "/epoch") load.beginEpoch();
  else if (request.method === "POST" && pathname === "/finish") await load.finish();
  else response.statusCode = 404;
  response.end();
}

const load = new Load(settingsFrom(process.env), await importClient());
createServer((request, response) => {
  answer(load, request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
}).listen(CONTROL_PORT);
process.once("SIGTERM", () => process.exit(0));
