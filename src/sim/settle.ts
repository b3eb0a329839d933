/** Lets all settled promises be followed: the event loop comes round once, and the simulation has given it nothing else to do. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
