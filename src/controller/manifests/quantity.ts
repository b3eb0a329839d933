/** Powers of ten and of two by the suffix of a quantity. */
const SUFFIXES: Readonly<Record<string, number>> = {
  "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
};
/** Divided by rather than multiplied with, so that 700m is exactly what 0.7 is. */
const FRACTIONS: Readonly<Record<string, number>> = { m: 1e3, u: 1e6, n: 1e9 };

/** The value of a Kubernetes quantity such as 1Gi, 500m or 1e3; null when it is none. */
export function quantity(text: unknown): number | null {
  const [, digits, suffix = ""] = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([A-Za-z]{0,2})$/.exec(String(text)) ?? [];
  if (digits === undefined) return null;
  const fraction = FRACTIONS[suffix];
  if (fraction !== undefined) return Number(digits) / fraction;
  const factor = SUFFIXES[suffix];
  return factor === undefined ? null : Number(digits) * factor;
}

/** Whether both say the same amount, in whatever way. */
export function sameQuantity(one: unknown, other: unknown): boolean {
  const value = quantity(one);
  return value === null ? one === other : value === quantity(other);
}
