import { CommanderError } from "commander";
import { SynodError } from "../errors/synod-error.ts";

/** Tells people what went wrong. Returns the exit code: 0 for help that was asked for, 1 for a failure, 2 for wrong usage. */
export function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof SynodError)) {
    process.stderr.write(`SYNOD_ERR_INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 1;
  }
  process.stderr.write(`${error.code}: ${error.message}\n${advice(error)}`);
  return 1;
}

function advice({ kind }: SynodError): string {
  if (kind.outcomeUnknown) return "Whether it took effect is not known. A write may be repeated only with the same --idempotency-key; anything else may be asked for again.\n";
  return kind.retryable ? "Nothing was changed; it is safe to try again.\n" : "";
}
