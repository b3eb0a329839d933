/** How long to wait before the next attempt: twice as long after each failure in a row, within bounds. */
export interface BackOffBounds {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** The pause after the `failures`-th failure in a row (from 1). `random` of [0, 1) takes off up to a quarter, so that many do not try at once. */
export function backOffMs({ firstMs, mostMs }: BackOffBounds, failures: number, random: number): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return whole * (1 - random / 4);
}
