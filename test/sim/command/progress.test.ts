import { expect, it } from "vitest";
import { Progress } from "../../../src/sim/command/progress.ts";
import { Tally } from "../../../src/sim/command/tally.ts";

/** What is written when progress is offered once a second for half a minute. */
function written(isTerminal: boolean): string[] {
  const texts: string[] = [];
  let nowMs = 0;
  const progress = new Progress({ isTerminal, nowMs: () => nowMs, part: () => nowMs / 60_000, write: (text) => texts.push(text) });
  for (nowMs = 0; nowMs <= 30_000; nowMs += 1_000) progress.show(new Tally());
  progress.end();
  return texts;
}

it("adds a line every ten seconds where nobody sees a bar move", () => {
  expect(written(false)).toHaveLength(3);
  expect(written(false)[2]).toMatch(/^\[#{12}-{12}\] 0 seeds, .*\n$/);
});

it("moves a bar on a terminal, and ends its line", () => {
  const texts = written(true);
  expect(texts).toHaveLength(31);
  expect(texts.slice(0, -1).every((text) => text.startsWith("\r[") && !text.includes("\n"))).toBe(true);
  expect(texts.at(-1)).toBe("\n");
});
