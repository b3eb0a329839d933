import { join } from "node:path";
import { REPOSITORY } from "./cluster-tool.ts";
import { run } from "./run-command.ts";

export const CHART = join(REPOSITORY, "helm/synod");

/** Rendering asks no cluster for its version; any that the chart takes renders the same. */
export const KUBE_VERSION = "1.34.0";

/** Long enough for the chart's jobs to start on a busy machine. */
const TIMEOUT_MS = 240_000;

/** Runs helm as a person would, on the current context. */
export function helm(args: readonly string[], values?: object): Promise<string> {
  const options = values === undefined ? {} : { input: JSON.stringify(values) };
  return run("helm", [...args, ...(values === undefined ? [] : ["--values", "-"])], { ...options, timeoutMs: TIMEOUT_MS });
}

/** The chart's values for an image reference with a tag. */
export function imageValues(image: string): object {
  const colon = image.lastIndexOf(":");
  return { image: { repository: image.slice(0, colon), tag: image.slice(colon + 1) } };
}
