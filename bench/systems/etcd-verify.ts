import { call } from "./etcd-http.ts";
import { waitFor } from "./wait.ts";

const CATCH_UP_MS = 10_000;

interface RangeAnswer {
  readonly header: { readonly revision: string };
  readonly kvs?: readonly { readonly key: string; readonly value: string; readonly mod_revision: string }[];
}

/** Reads every key of every member, without asking the leader. `puts` is how many its load generator made. */
export async function verifyEtcd(urls: readonly string[], puts: number): Promise<string> {
  const everything = { key: "AA==", range_end: "AA==", serializable: true };
  const members = await waitFor("the members' catching up", CATCH_UP_MS, async () => {
    const answers = await Promise.all(urls.map((url) => call<RangeAnswer>(url, "/v3/kv/range", everything)));
    return new Set(answers.map((answer) => answer.header.revision)).size === 1 ? answers : null;
  });
  const contents = new Set(members.map((answer) => JSON.stringify(answer.kvs ?? [])));
  if (contents.size !== 1) throw new Error("etcd's members differ");
  const revision = Number(members[0]?.header.revision);
  if (revision - 1 < puts) throw new Error(`etcd is at revision ${revision} after ${puts} acknowledged writes`);
  return `${members[0]?.kvs?.length ?? 0} keys at revision ${revision} on ${urls.length} members, ${puts} acknowledged writes`;
}
