import { Session } from "node:inspector";

/** Microseconds of processor time by the part of the code in which they went. */
export type TimeByPart = ReadonlyMap<string, number>;

const SAMPLE_US = 1_000;

/** Samples where this thread's time goes, from now on. */
export class TimeProfile {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.setSamplingInterval", { interval: SAMPLE_US });
    this.#session.post("Profiler.start");
  }

  stop(): TimeByPart {
    const time = new Map<string, number>();
    this.#session.post("Profiler.stop", (error, { profile } = {} as never) => {
      if (error !== null) return;
      const parts = new Map(profile.nodes.map(({ id, callFrame }) => [id, partOf(callFrame)]));
      profile.samples?.forEach((id, index) => {
        const part = parts.get(id) ?? "other";
        time.set(part, (time.get(part) ?? 0) + (profile.timeDeltas?.[index] ?? 0));
      });
    });
    this.#session.disconnect();
    return time;
  }
}

function partOf({ functionName, url }: { readonly functionName: string; readonly url: string }): string {
  const file = /\/src\/([a-z-]+)\//.exec(url)?.[1];
  if (file !== undefined) return `src/${file}`;
  if (functionName === "(garbage collector)") return "garbage collector";
  return functionName === "(idle)" ? "idle" : "node";
}
