import { type Answer, run } from "./helm.ts";

/** Of whatever cluster the current context names. */
export function kubectl(args: readonly string[], input?: object | string): Answer {
  const text = input === undefined || typeof input === "string" ? (input ?? "") : JSON.stringify(input);
  return run("kubectl", ["--request-timeout=30s", ...args], text);
}

/** Whether the current context names a cluster that answers; tests that need one are skipped by name where there is none. */
export const HAS_CLUSTER = run("kubectl", ["--request-timeout=5s", "get", "--raw", "/readyz"]).ok;
