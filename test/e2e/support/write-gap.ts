export interface Gap {
  readonly lengthMs: number;
  /** When writes were acknowledged again. */
  readonly endNs: number;
}

/**
 * The longest time without an acknowledgement that overlaps the time between two instants: a gap that began before it
 * counts from its beginning, and one that has not ended by then up to `toNs`. Times are nanoseconds of one clock, in any order.
 */
export function longestGap(acknowledgedNs: readonly number[], fromNs: number, toNs: number): Gap {
  const sorted = acknowledgedNs.filter((time) => time <= toNs).sort((a, b) => a - b);
  const before = sorted.findLast((time) => time <= fromNs) ?? fromNs;
  let longest: Gap = { lengthMs: 0, endNs: before };
  let lastNs = before;
  for (const endNs of [...sorted.filter((time) => time > fromNs), toNs]) {
    const lengthMs = (endNs - lastNs) / 1e6;
    if (lengthMs > longest.lengthMs) longest = { lengthMs, endNs };
    lastNs = endNs;
  }
  return longest;
}
