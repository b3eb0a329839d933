import { CommanderError } from "commander";
import { SynodError } from "../errors/synod-error.ts";
import type { ErrorCode } from "../errors/table.ts";

/** Failures of the chart's jobs that would come again. The chart (`_job.tpl`) ends a job whose pod exits so, rather than starting another pod. */
const FINAL: ReadonlySet<ErrorCode> = new Set(["SYNOD_ERR_CLUSTER_REFUSED", "SYNOD_ERR_CLUSTER_TAKEN"]);
/** As EX_DATAERR of sysexits.h; Node itself uses the codes up to 14. */
export const FINAL_EXIT = 65;

/** Tells people what went wrong. Returns the exit code: 0 for help that was asked for, 1 for a failure, 2 for wrong usage, 65 for a cluster that is refused for good. */
export function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof SynodError)) {
    process.stderr.write(`SYNOD_ERR_INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 1;
  }
  process.stderr.write(`${error.code}: ${error.message}\n${advice(error)}`);
  return FINAL.has(error.code) ? FINAL_EXIT : 1;
}

function advice({ kind }: SynodError): string {
  if (kind.outcomeUnknown && kind.retryable) return "Whether it took effect is not known; it is safe to ask again.\n";
  if (kind.outcomeUnknown) return "Whether it took effect is not known. A write may be repeated only with the same --idempotency-key; anything else may be asked for again.\n";
  return kind.retryable ? "Nothing was changed; it is safe to try again.\n" : "";
}
