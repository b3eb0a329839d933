import { write } from "node:fs";
import { SynodError } from "../errors/synod-error.ts";

const LAST_WORDS_MS = 100;

/** A node that runs in this process. */
export interface RunningNode {
  readonly url: string;
  /** Resolves when the process is to end and to be started anew; absent: never. */
  readonly renewed?: Promise<void>;
  stop(): Promise<void>;
}

/** For whoever starts processes: try again. It is EX_TEMPFAIL of sysexits.h. */
const START_ANEW = 75;

export interface NodeProcessOptions {
  readonly name: string;
  /** Also stop when standard input ends: the manager holds its other end, and it ends when the manager dies in whatever way. */
  readonly stopWithParent: boolean;
  /** How long a graceful stop may take before the process ends anyway, in milliseconds. */
  readonly stopTimeoutMs?: number;
}

/**
 * Makes this process one node: starts it, prints where it listens (the line that the manager waits for), and on SIGTERM, SIGINT
 * or SIGHUP stops it within a bound and exits; `start` is told by its signal. Exit codes: 0 stopped, 1 the node could not start, 75 it
 * is to be started anew. A node that does not stop kills its process.
 */
export async function runNodeProcess(start: (signal: AbortSignal) => Promise<RunningNode>, options: NodeProcessOptions): Promise<void> {
  const stopping = new AbortController();
  const started = start(stopping.signal);
  const stopWith = (exitCode: number): void => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    // A start that fails is reported below.
    void started.then((node) => exitAfter(node, options.stopTimeoutMs ?? 5_000, exitCode), () => {});
  };
  const stop = (): void => stopWith(0);
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, stop);
  ignoreBrokenOutput();
  if (options.stopWithParent) {
    process.stdin.on("end", stop).on("error", stop).resume();
  }
  try {
    const node = await started;
    // Not by way of process.stdout, which blocks where nobody reads.
    write(1, listeningLine(options.name, node.url), () => {});
    void node.renewed?.then(() => stopWith(START_ANEW));
  } catch (error) {
    // Nothing else holds the process now: it ends by itself, with what the caller makes of the error.
    if (options.stopWithParent) process.stdin.pause();
    if (stopping.signal.aborted && error instanceof SynodError && error.code === "SYNOD_ERR_STOPPING") return;
    throw error;
  }
}

async function exitAfter(node: RunningNode, timeoutMs: number, exitCode: number): Promise<void> {
  const late = setTimeout(() => endAtOnce(`The node did not stop within ${timeoutMs} ms; its process ends now.`), timeoutMs);
  try {
    await node.stop();
    clearTimeout(late);
    process.exit(exitCode);
  } catch (error) {
    endAtOnce(error instanceof SynodError ? `${error.code}: ${error.message}` : String(error));
  }
}

/**
 * A process that exits waits for its threads, and one of them may hang in a write or a sync. So it kills itself instead, and leaves it to
 * another thread to say why, as that may hang as well.
 */
function endAtOnce(why: string): void {
  write(2, `${why}\n`, () => {});
  setTimeout(() => process.kill(process.pid, "SIGKILL"), LAST_WORDS_MS);
}

/** When nobody reads the output any more that must not end the process, and certainly not before its graceful stop. */
function ignoreBrokenOutput(): void {
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
}

/** The line, JSON like the log's, by which a node process says that it listens. */
export function listeningLine(name: string, url: string): string {
  return `${JSON.stringify({ synod: "listening", member: name, url })}\n`;
}

/** The address in a line made by `listeningLine`, or null when it is another line. */
export function parseListeningLine(line: string): string | null {
  if (!line.startsWith('{"synod":"listening"')) return null;
  try {
    const value = JSON.parse(line) as { url?: unknown };
    return typeof value.url === "string" ? value.url : null;
  } catch {
    return null;
  }
}
