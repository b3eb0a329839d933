import { type ByteReader, DecodeError } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import { SynodError } from "../errors/synod-error.ts";
import { ERRORS, type ErrorCode } from "../errors/table.ts";

/** A coded error as members tell it to each other; its details stay where it arose. */
export function writeError(writer: ByteWriter, error: SynodError): ByteWriter {
  return writer.text(error.code).text(error.message);
}

/** Throws `DecodeError` for a code that this version does not know. */
export function readError(reader: ByteReader): SynodError {
  const code = reader.text();
  const message = reader.text();
  if (!Object.hasOwn(ERRORS, code)) throw new DecodeError(`unknown error code ${code}`);
  return new SynodError(code as ErrorCode, message);
}
