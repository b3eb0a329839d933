/** The event loop comes round after so many calls, so that signals and messages from outside are heard. */
const CALLS_PER_TURN = 4_096;
let calls = 0;

/**
 * Lets all settled promises be followed: what is put off by `nextTick` runs once no promise is left to follow, and the simulation has
 * given the event loop nothing else to do.
 */
export function settle(): Promise<void> {
  calls += 1;
  return new Promise((resolve) => void (calls % CALLS_PER_TURN === 0 ? setImmediate(resolve) : process.nextTick(resolve)));
}
