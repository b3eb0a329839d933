/**
 * The longest time without an acknowledgement, in milliseconds, that overlaps the time between two instants: a gap that began before it
 * counts from its beginning, and one that has not ended by then up to `toNs`. Times are nanoseconds of one clock, in any order.
 */
export function longestGapMs(acknowledgedNs: readonly number[], fromNs: number, toNs: number): number {
  const sorted = acknowledgedNs.filter((time) => time <= toNs).sort((a, b) => a - b);
  const before = sorted.findLast((time) => time <= fromNs) ?? fromNs;
  let longestNs = 0;
  let lastNs = before;
  for (const time of [...sorted.filter((time) => time > fromNs), toNs]) {
    longestNs = Math.max(longestNs, time - lastNs);
    lastNs = time;
  }
  return longestNs / 1e6;
}
