/** An invariant of synod's own code was broken. The process must stop: going on could break agreement. */
export class InvariantError extends Error {
  override name = "InvariantError";
}

/** Checks an invariant. Assertions stay on in production: a stopped member is safe, a wrong one is not. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Marks a branch that the type system has shown to be impossible. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}
