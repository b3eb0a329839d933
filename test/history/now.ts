const [ORIGIN_SECONDS] = process.hrtime();

/** Nanoseconds since about the start of this process, monotonic. */
export function nowNs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return (seconds - ORIGIN_SECONDS) * 1_000_000_000 + nanoseconds;
}
