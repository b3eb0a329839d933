import { SynodError } from "../../src/errors/synod-error.ts";
import type { ErrorCode } from "../../src/errors/table.ts";

/** An answer as tests compare it: an error is its code, anything else itself. */
export function plain<T>(outcome: T | SynodError): T | ErrorCode {
  return outcome instanceof SynodError ? outcome.code : outcome;
}
