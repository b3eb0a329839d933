import { SynodError } from "../errors/synod-error.ts";
import type { Result } from "../state/results.ts";
import type { WriteDone } from "./write-router.ts";

/** The leader's side of writes that followers forward: submits each and answers a batch as a whole when all have an outcome. */
export class ForwardedWrites {
  readonly #submit: (command: Uint8Array, done: WriteDone) => void;

  constructor(submit: (command: Uint8Array, done: WriteDone) => void) {
    this.#submit = submit;
  }

  /** `answer` is called once, with one outcome per command in the commands' order. */
  take(commands: readonly Uint8Array[], answer: (outcomes: readonly (Result | SynodError)[]) => void): void {
    const outcomes: (Result | SynodError)[] = [];
    let missing = commands.length;
    if (missing === 0) answer(outcomes);
    commands.forEach((command, index) => {
      this.#submit(command, (outcome) => {
        outcomes[index] = outcome;
        missing -= 1;
        if (missing === 0) answer(outcomes);
      });
    });
  }
}
