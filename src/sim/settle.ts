/** The event loop comes round after so many calls, so that signals and messages from outside are heard. */
const CALLS_PER_TURN = 4_096;
let calls = 0;

/**
 * Lets all settled promises be followed: what `nextTick` puts off while promises are followed runs once none is left to follow. The first
 * step makes that so when the caller follows none, but was called by Node.
 */
export async function settle(): Promise<void> {
  await undefined;
  calls += 1;
  await new Promise<void>((resolve) => void (calls % CALLS_PER_TURN === 0 ? setImmediate(resolve) : process.nextTick(resolve)));
}
