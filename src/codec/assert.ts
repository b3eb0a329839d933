/** An invariant of synod's own code was broken. The process must stop: going on could break agreement. */
export class InvariantError extends Error {
  override name = "InvariantError";
}

/**
 * Checks an invariant. Assertions stay on in production: a stopped member is safe, a wrong one is not. A message that has to be put
 * together first is given as a function where it matters that this costs time.
 */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new InvariantError(typeof message === "string" ? message : message());
}

/** Marks a branch that the type system has shown to be impossible. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}
