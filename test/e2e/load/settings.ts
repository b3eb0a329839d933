/** What the program that makes the load is told by its environment. */
export interface LoadSettings {
  /** `host:port` of members, or of a Service in front of them. */
  readonly endpoints: readonly string[];
  readonly workers: number;
  /** Keys of one epoch. */
  readonly keys: number;
  readonly seed: number;
  /** The longest pause of a worker between two operations; drawn evenly from 0. */
  readonly thinkMs: number;
  /** Put before every key and value, so that a run meets only keys that were absent when it began. */
  readonly prefix: string;
}

export function settingsFrom(environment: Readonly<Record<string, string | undefined>>): LoadSettings {
  const text = environment["LOAD"];
  if (text === undefined) throw new Error("LOAD must hold the settings as JSON");
  return JSON.parse(text) as LoadSettings;
}

/** A call that takes longer than this ends without an answer, in milliseconds. */
export const CALL_TIMEOUT_MS = 5_000;

/** The port on which the program is asked what it saw. */
export const CONTROL_PORT = 8080;
