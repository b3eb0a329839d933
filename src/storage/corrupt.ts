import { DecodeError } from "../codec/byte-reader.ts";
import { SynodError } from "../errors/synod-error.ts";

/** The error for stored bytes that are neither right nor explained by a crash (rule 14). The member must fence itself. */
export function corrupt(file: string, offset: number, why: string): SynodError {
  return new SynodError("SYNOD_ERR_CORRUPT", `${file} at byte ${offset}: ${why}`, { file, offset, why });
}

/** Runs `decode`; a `DecodeError` becomes `SYNOD_ERR_CORRUPT` at this place. */
export function decodeOrCorrupt<T>(file: string, offset: number, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) throw corrupt(file, offset, error.message);
    throw error;
  }
}
