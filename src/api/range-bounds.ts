import { SynodError } from "../errors/synod-error.ts";
import { MAX_RANGE_LIMIT } from "../client/protocol.ts";
import { MAX_KEY_BYTES } from "../state/limits.ts";
import { badRequest } from "./request-fields.ts";
import type { Query, ReadResult } from "./service.ts";

const MAX_ANSWER_BYTES = 1024 * 1024;

/** Throws when a query's fields are out of bounds: `SYNOD_ERR_KEY_LENGTH`, or `SYNOD_ERR_BAD_REQUEST` for its limit. */
export function checkQuery(query: Query): void {
  if (query.type === "get") {
    if (query.key.length < 1 || query.key.length > MAX_KEY_BYTES) throw new SynodError("SYNOD_ERR_KEY_LENGTH");
    return;
  }
  const { prefix, after } = query;
  if (prefix.length > MAX_KEY_BYTES || (after?.length ?? 0) > MAX_KEY_BYTES) throw new SynodError("SYNOD_ERR_KEY_LENGTH");
  if (query.limit < 1 || query.limit > MAX_RANGE_LIMIT) throw badRequest(`limit must be from 1 to ${MAX_RANGE_LIMIT}.`);
}

/** Cuts a range short where its keys and values would take more than a mebibyte; one item is always left. Says so in `more`. */
export function boundRange(result: ReadResult): ReadResult {
  if (result.type === "get") return result;
  let bytes = 0;
  for (let index = 0; index < result.items.length; index++) {
    const item = result.items[index] as (typeof result.items)[number];
    bytes += item.key.length + item.value.length;
    if (bytes > MAX_ANSWER_BYTES && index > 0) return { ...result, items: result.items.slice(0, index), more: true };
  }
  return result;
}
