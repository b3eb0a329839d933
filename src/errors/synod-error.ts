import { ERRORS, type ErrorCode, type ErrorKind } from "./table.ts";

/** What a caller gets to see of an error, over HTTP and in frames. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly outcomeUnknown: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error with a code from the one table. */
export class SynodError extends Error {
  override name = "SynodError";
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message?: string, details?: Readonly<Record<string, unknown>>) {
    super(message ?? ERRORS[code].meaning);
    this.code = code;
    this.details = details;
  }

  get kind(): ErrorKind {
    return ERRORS[this.code];
  }

  toBody(): ErrorBody {
    const { retryable, outcomeUnknown } = this.kind;
    const body = { code: this.code, message: this.message, retryable, outcomeUnknown };
    return this.details === undefined ? body : { ...body, details: this.details };
  }
}
