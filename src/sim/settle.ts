/** The event loop comes round after so many calls, so that signals and messages from outside are heard. */
const CALLS_PER_TURN = 4_096;
let calls = 0;

const AT_ONCE = Promise.resolve();

/**
 * Lets all settled promises be followed: what `nextTick` puts off while promises are followed runs once none is left to follow. The first
 * step makes that so when the caller follows none, but was called by Node.
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => void AT_ONCE.then(() => {
    calls += 1;
    if (calls % CALLS_PER_TURN === 0) setImmediate(resolve);
    else process.nextTick(resolve);
  }));
}
