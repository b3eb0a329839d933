import { Api } from "./api.ts";
import { ClusterTool } from "./cluster-tool.ts";

/** The cluster that the tests run on: whatever the current kubectl context names. */
export interface Target {
  readonly api: Api;
  /** Null where the node is out of reach; what needs it is then skipped by name. */
  readonly node: ClusterTool | null;
  /** A class whose volumes have exactly the size asked for, so that they can be filled; null: no such class. */
  readonly sizedClass: string | null;
}

let found: Promise<Target> | undefined;

/** Asked once. Rejects with what to do where no cluster answers. */
export function target(): Promise<Target> {
  found ??= find();
  return found;
}

async function find(): Promise<Target> {
  const api = new Api();
  await api.text("/readyz").catch((error: Error) => {
    throw new Error(`The end-to-end tests need a cluster that kubectl reaches; the current context is "${api.context}": ${error.message}`);
  });
  const node = await ClusterTool.find(api.server);
  const sized = await api.find("/apis/storage.k8s.io/v1/storageclasses/sized");
  return { api, node, sizedClass: sized === null ? null : "sized" };
}
