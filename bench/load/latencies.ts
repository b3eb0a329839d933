/** Latencies of one run, in milliseconds. */
export class Latencies {
  readonly #samples: Float64Array;
  #count = 0;
  #maxMs = 0;

  /** Keeps at most `capacity` samples; of what comes later only the longest is known. */
  constructor(capacity: number) {
    this.#samples = new Float64Array(capacity);
  }

  add(ms: number): void {
    if (ms > this.#maxMs) this.#maxMs = ms;
    if (this.#count === this.#samples.length) return;
    this.#samples[this.#count] = ms;
    this.#count += 1;
  }

  /** Percentiles by the nearest-rank method; 0 when there are no samples. */
  percentiles(): { p50Ms: number; p99Ms: number; maxMs: number } {
    const sorted = this.#samples.subarray(0, this.#count).sort();
    const at = (part: number): number => sorted[Math.max(0, Math.ceil(part * this.#count) - 1)] ?? 0;
    return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: this.#maxMs };
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
