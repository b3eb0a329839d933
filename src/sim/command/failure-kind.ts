/** What a failing run is told apart by. */
export interface Failure {
  readonly name: string;
  readonly message: string;
}

/**
 * What two failures have in common when they are of one kind: the name and the first line of what went wrong, without what differs from run
 * to run: numbers, values, members, states. A smaller run is one of the same bug only as far as its failure is of the same kind.
 */
export function failureKind({ name, message }: Failure): string {
  const [line = ""] = message.split("\n", 1);
  return `${name}: ${VARYING.reduce((text, [pattern, by]) => text.replace(pattern, by), line)}`;
}

const VARYING: readonly (readonly [RegExp, string])[] = [
  [/batch [0-9a-f]{8} of \d+ bytes \("[^"]*"\)|\bno-op\b|barrier\([^)]*\)|members\([^)]*\)/g, "‹value›"],
  [/"[^"]*"/g, "‹text›"],
  [/with the key (?:absent|written by an unknown write|at revision \d+)/g, "with the key ‹state›"],
  [/\b[0-9a-f]{8,}\b/g, "#"],
  [/\d+(?:[.,]\d+)*/g, "#"],
];
