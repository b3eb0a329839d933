/** Seeds that once failed; see docs/found-by-simulation.md. */
export const CORPUS: readonly number[] = [163];
