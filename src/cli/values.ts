import { InvalidArgumentError } from "commander";
import { isNodeCount, MAX_NODES } from "../local/dev-folder.ts";
import { isIncarnation } from "../paxos/ids.ts";

/** Where the local cluster lives unless `--data` says otherwise. */
export const DEFAULT_DEV_FOLDER = ".synod/dev";

export function parseNodeCount(text: string): number {
  const count = parseWhole(text);
  if (count === null || !isNodeCount(count)) throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_NODES}.`);
  return count;
}

export function parseCount(text: string): number {
  const count = parseWhole(text);
  if (count === null) throw new InvalidArgumentError("It must be a whole number, 0 or more.");
  return count;
}

export function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError("It must be an http URL, such as http://127.0.0.1:7001.");
  }
  return url.origin;
}

export function parseAddress(text: string): string {
  const port = parseWhole(/^(?:\[[0-9a-fA-F:.]+\]|[^:\s]+):(\d{1,5})$/.exec(text)?.[1] ?? "");
  if (port === null || port > 65_535) throw new InvalidArgumentError("It must be host:port, such as 127.0.0.1:7001.");
  return text;
}

export function parseMemberName(text: string): string {
  if (!/^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/.test(text)) {
    throw new InvalidArgumentError('It must be 1 to 64 letters, digits, ".", "_" or "-", and begin and end with a letter or digit.');
  }
  if (isIncarnation(text)) throw new InvalidArgumentError("It must not look like a member's id, by which members can be named, too.");
  return text;
}

function parseWhole(text: string): number | null {
  const value = Number(text);
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(value) ? value : null;
}
