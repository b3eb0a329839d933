import { run, type RunOptions } from "./run-command.ts";

/** Runs kubectl as a person would, on the current context. Resolves with what it prints; rejects with `CommandError`. */
export function kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
  return run("kubectl", args, options);
}

/** Creates or changes an object from a manifest. */
export async function apply(...objects: readonly object[]): Promise<void> {
  const list = { apiVersion: "v1", kind: "List", items: objects };
  await kubectl(["apply", "--server-side", "--field-manager=e2e", "-f", "-"], { input: JSON.stringify(list) });
}
