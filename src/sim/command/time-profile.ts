import { Session } from "node:inspector";

/** Microseconds of processor time by the part of the code in which they went. */
export type TimeByPart = ReadonlyMap<string, number>;

const SAMPLE_US = 1_000;
/** Samples make all that is done slower, and so does it to begin with them: they are taken from ten seeds of a hundred, and not from the first, which are slow anyway. */
const PERIOD_SEEDS = 100;
const FIRST_SEED = 3;
const SAMPLED_SEEDS = 10;

/** Samples where this thread's time goes, in some of the seeds that it lives through. */
export class TimeProfile {
  readonly #time = new Map<string, number>();
  #session: Session | null = null;
  #seeds = 0;

  /** To be called before each seed. */
  next(): void {
    this.#seeds += 1;
    const place = this.#seeds % PERIOD_SEEDS;
    if (place === FIRST_SEED) this.#start();
    else if (place === FIRST_SEED + SAMPLED_SEEDS) this.#stop();
  }

  /** What was seen so far; empty when there were too few seeds. Nothing more is sampled. */
  end(): TimeByPart {
    this.#stop();
    return this.#time;
  }

  #start(): void {
    this.#session = new Session();
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.setSamplingInterval", { interval: SAMPLE_US });
    this.#session.post("Profiler.start");
  }

  #stop(): void {
    this.#session?.post("Profiler.stop", (error, { profile } = {} as never) => {
      if (error !== null) return;
      const parts = new Map(profile.nodes.map(({ id, callFrame }) => [id, partOf(callFrame)]));
      profile.samples?.forEach((id, index) => {
        const part = parts.get(id) ?? null;
        if (part !== null) this.#time.set(part, (this.#time.get(part) ?? 0) + (profile.timeDeltas?.[index] ?? 0));
      });
    });
    this.#session?.disconnect();
    this.#session = null;
  }
}

/** Null for what it costs to take samples. */
function partOf({ functionName, url }: { readonly functionName: string; readonly url: string }): string | null {
  const file = /\/src\/([a-z-]+)\//.exec(url)?.[1];
  if (file !== undefined) return `src/${file}`;
  if (functionName === "(garbage collector)") return "garbage collector";
  if (url === "node:inspector") return null;
  return functionName === "(idle)" ? "idle" : "node";
}
