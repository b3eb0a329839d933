import { ClientConnection } from "../../src/client/connection.ts";
import { endpointUrl } from "../../src/client/endpoint.ts";
import type { RangeItem, ReadResult } from "../../src/client/types.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import type { LedgerResult } from "../load/job.ts";
import { readStamp } from "../load/payload.ts";
import { waitFor } from "./wait.ts";

const PAGE = 1_000;
const CATCH_UP_MS = 10_000;

interface Contents {
  readonly revision: number;
  readonly items: readonly RangeItem[];
}

/** Reads every key of every member, from what that member itself has applied. */
export async function verifySynod(urls: readonly string[], ledger: LedgerResult): Promise<string> {
  const members = await waitFor("the members' catching up", CATCH_UP_MS, async () => {
    const contents = await Promise.all(urls.map(contentsOf));
    return new Set(contents.map(({ revision }) => revision)).size === 1 ? contents : null;
  });
  const [first, ...others] = members as [Contents, ...Contents[]];
  for (const other of others) requireSame(first, other);
  checkLedger(first, ledger);
  return `${first.items.length} keys at revision ${first.revision} on ${urls.length} members, ${ledger.acknowledged} acknowledged writes`;
}

async function contentsOf(url: string): Promise<Contents> {
  const connection = new ClientConnection(endpointUrl(url));
  try {
    const items: RangeItem[] = [];
    for (;;) {
      const after = items.at(-1)?.key;
      const page = await readPage(connection, after);
      items.push(...page.items);
      if (!page.more) return { revision: page.revision, items };
    }
  } finally {
    connection.cut("done");
  }
}

function readPage(connection: ClientConnection, after: Uint8Array | undefined): Promise<Extract<ReadResult, { type: "range" }>> {
  const query = { type: "range", prefix: new Uint8Array(0), limit: PAGE, ...(after === undefined ? {} : { after }) } as const;
  return new Promise((resolve, reject) => {
    connection.read(query, "local", (outcome) => {
      if (outcome instanceof SynodError) reject(outcome);
      else if (outcome.type === "range") resolve(outcome);
    });
  });
}

function requireSame(one: Contents, other: Contents): void {
  if (one.items.length !== other.items.length) throw new Error(`members hold ${one.items.length} and ${other.items.length} keys`);
  one.items.forEach((item, index) => {
    const twin = other.items[index] as RangeItem;
    const same = item.modRevision === twin.modRevision && item.createRevision === twin.createRevision && item.version === twin.version;
    if (!same || Buffer.compare(item.key, twin.key) !== 0 || Buffer.compare(item.value, twin.value) !== 0) {
      throw new Error(`members differ in key ${Buffer.from(item.key).toString()}`);
    }
  });
}

/** Each key holds its last acknowledged write, or a later one; a later one only if the outcome of some write is not known. */
function checkLedger({ items }: Contents, { entries, unknown }: LedgerResult): void {
  const held = new Map(items.map((item) => [Buffer.from(item.key).toString(), item]));
  let later = 0;
  for (const { key, revision, stamp } of entries) {
    const item = held.get(key);
    if (item === undefined || item.modRevision < revision) throw new Error(`the acknowledged write of ${key} at ${revision} is lost`);
    if (item.modRevision > revision) later += 1;
    else if (readStamp(item.value) !== stamp) throw new Error(`${key} holds another value than was acknowledged at ${revision}`);
  }
  if (later > unknown) throw new Error(`${later} keys were overwritten by nobody`);
}
