import { randomUUID } from "node:crypto";
import { Command } from "commander";
import { SynodClient } from "../client/client.ts";
import { SynodError } from "../errors/synod-error.ts";
import { chooseEndpoint } from "./endpoint.ts";
import { parseCount, parseUrl } from "./values.ts";

interface CheckFlags {
  readonly endpoint?: string;
  readonly wait: number;
}

export function checkCommand(): Command {
  return new Command("check")
    .description("write, read and delete one key through the client library, as a program would")
    .option("--endpoint <url>", "a member's address (default: a node of the local cluster in ./.synod/dev)", parseUrl)
    .option("--wait <seconds>", "how long the cluster may take until it serves", parseCount, 30)
    .action(check);
}

async function check({ endpoint, wait }: CheckFlags): Promise<void> {
  const client = new SynodClient({ endpoints: [await chooseEndpoint(endpoint)], session: true });
  const key = `synod/check/${randomUUID()}`;
  try {
    // A client tries again until its time is up, so that waiting for a cluster that starts is a matter of the first write's time.
    const { revision } = await timed("wrote", key, () => client.put(key, key, { prevRevision: 0, timeoutMs: wait * 1000 }));
    const record = await timed("read", key, () => client.get(key));
    if (record?.modRevision !== revision || Buffer.from(record.value).toString() !== key) {
      throw new SynodError("SYNOD_ERR_INTERNAL", `${key} was written with revision ${revision}, and was not read so afterwards.`);
    }
    await timed("deleted", key, () => client.delete(key, { prevRevision: revision }));
  } finally {
    await client.close();
  }
}

async function timed<T>(done: string, key: string, act: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await act();
  process.stdout.write(`${done} ${key} in ${(performance.now() - begun).toFixed(1)} ms\n`);
  return result;
}
