import { openHttpClients } from "./http-clients.ts";
import type { LedgerJob, LedgerResult, LoadJob, LoadResult } from "./job.ts";
import { Ledger } from "./ledger.ts";
import { KeyDraw } from "./payload.ts";
import { runClients } from "./run.ts";
import { openWsClients } from "./ws-clients.ts";

/* The process that makes the load: takes one job at a time from its parent and answers with the result, or with what went wrong. */

const ledger = new Ledger();
const keys = new KeyDraw();

process.on("message", (job: LoadJob | LedgerJob) => {
  void run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});

async function run(job: LoadJob | LedgerJob): Promise<LoadResult | LedgerResult> {
  if (job.type === "ledger") return ledger.result();
  const open = job.protocol === "ws" ? openWsClients : openHttpClients;
  const { clients, close } = await open(job, ledger, keys);
  try {
    return await runClients(clients, job);
  } finally {
    close();
  }
}
