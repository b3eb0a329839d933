const MOST_LINES = 30;

/**
 * What to read of a failing run's story: its end. Where clients saw the failure, what the members did meanwhile, with the lines of the
 * clients' own story in between. Every line begins with its time.
 */
export function storyEnd(story: readonly string[], clients: readonly string[]): string[] {
  const [first, last] = [clients[0], clients.at(-1)];
  if (first === undefined || last === undefined) return story.slice(-MOST_LINES);
  const meanwhile = story.filter((line) => timeOf(line) >= timeOf(first) && timeOf(line) <= timeOf(last));
  return [...meanwhile.slice(-MOST_LINES), ...clients].toSorted((a, b) => timeOf(a) - timeOf(b));
}

function timeOf(line: string): number {
  return Number.parseFloat(line);
}
