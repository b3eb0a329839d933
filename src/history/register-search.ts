import { assert } from "../codec/assert.ts";
import { at } from "./at.ts";
import { DeadEnds } from "./dead-ends.ts";
import { EventList } from "./event-list.ts";
import { changesState, type Definite, type KeyHistory } from "./key-history.ts";
import type { Operation } from "./operation.ts";
import { ABSENT, after, allows, reachable, type RegisterState } from "./register-state.ts";

/** How much work a search may do before it gives up. Shared by the keys of one history. */
export interface SearchBudget {
  /** Operations looked at. About twenty million are done in a second. */
  steps: number;
  /** Dead ends remembered; each takes about 250 bytes. */
  deadEnds: number;
}

export type SearchResult =
  | { readonly is: "linearizable" }
  | { readonly is: "exhausted" }
  /** No order explains the key. `stuck` could not be placed on the way that got farthest; `around` was open at that time. */
  | { readonly is: "not-linearizable"; readonly stuck: Operation; readonly around: readonly Operation[]; readonly state: RegisterState; readonly placed: number };

/** One way on from a point of the search: the state to go to, and the operation linearized on the way if it is a write. */
interface Choice {
  readonly state: RegisterState;
  readonly write: number | undefined;
}

/** A point to come back to, with the ways not tried yet. */
interface Fork {
  readonly linearized: number;
  readonly untried: Choice[];
}

/**
 * Looks for a linearization of one key, depth first.
 *
 * What makes it fast, and why none of it loses a linearization:
 *  - An operation that only observes and is possible now is placed now. Moving it forward past operations that it may precede changes nothing
 *    for them, as it does not change the state.
 *  - Writes with known revisions are placed in the order of their revisions: it is part of the claim checked that they grow.
 *  - Unseen writes are placed only where `reachable` shows that they can matter.
 *  - A read of a revision that has gone can never be placed, so the search turns round as soon as it meets one.
 *  - A fork is followed once (see DeadEnds). Its position is exact: the first return left and the operations before it that are left say
 *    which operations are linearized.
 */
export class RegisterSearch {
  readonly #key: KeyHistory;
  readonly #budget: SearchBudget;
  readonly #list: EventList;
  /** Writes of known revision, ascending, and the place of each in that order. */
  readonly #writes: readonly number[];
  readonly #candidates: number[] = [];
  readonly #forks: Fork[] = [];
  readonly #deadEnds = new DeadEnds();
  #state: RegisterState = ABSENT;
  #writesPlaced = 0;
  #farthest: { stuck: number; around: number[]; state: RegisterState; placed: number } | undefined;

  constructor(key: KeyHistory, budget: SearchBudget) {
    this.#key = key;
    this.#budget = budget;
    this.#list = new EventList(key.definite);
    this.#writes = key.definite.map((_, index) => index).filter((index) => changesState(this.#step(index)))
      .sort((a, b) => this.#revision(a) - this.#revision(b));
  }

  run(): SearchResult {
    for (;;) {
      const front = this.#placeObservers();
      if (this.#list.isEmpty) return { is: "linearizable" };
      if (this.#budget.steps <= 0 || this.#budget.deadEnds <= 0) return { is: "exhausted" };
      let choices = this.#choices(front.returnNs);
      if (choices.length > 1 && !this.#rememberFork(front.operation)) choices = [];
      this.#noteProgress(front.operation);
      const choice = this.#fork(choices);
      if (choice === undefined) return this.#failure();
      this.#take(choice);
    }
  }

  #step(index: number): Definite["step"] {
    return at(this.#key.definite, index).step;
  }

  #revision(index: number): number {
    const step = this.#step(index);
    return changesState(step) ? step.revision : 0;
  }

  /** Places every observation that is possible now, and says which return then comes first. */
  #placeObservers(): { readonly operation: number; readonly returnNs: number } {
    for (;;) {
      if (this.#list.isEmpty) return { operation: -1, returnNs: Infinity };
      const front = this.#list.candidates(this.#candidates);
      this.#budget.steps -= this.#candidates.length;
      const before = this.#list.linearized;
      for (const candidate of this.#candidates) {
        const step = this.#step(candidate);
        if (!changesState(step) && allows(this.#state, step)) this.#list.lift(candidate);
      }
      if (this.#list.linearized === before) return front;
    }
  }

  /** The ways on, the most promising first: the next write, then unseen writes that make something possible. */
  #choices(untilNs: number): Choice[] {
    const choices: Choice[] = [];
    if (this.#candidates.some((index) => this.#isGone(this.#step(index)))) return choices;
    const next = this.#writes[this.#writesPlaced];
    const nextRevision = next === undefined ? Infinity : this.#revision(next);
    const nextIsCandidate = next !== undefined && this.#candidates.includes(next);
    if (nextIsCandidate) this.#addWrite(choices, this.#state, next);
    for (const state of reachable(this.#state, this.#key.unseen, untilNs, this.#key.ghosts)) {
      if (state.floor >= nextRevision) continue;
      const helps = this.#candidates.some((index) => !changesState(this.#step(index)) && allows(state, this.#step(index)));
      if (helps) choices.push({ state, write: undefined });
      else if (nextIsCandidate && !allows(this.#state, this.#step(next))) this.#addWrite(choices, state, next);
    }
    return choices;
  }

  /** Whether this is a read of a revision that has been overwritten. Reads that are possible now are placed before this is asked. */
  #isGone(step: Definite["step"]): boolean {
    return step.is === "saw" && step.revision <= this.#state.floor;
  }

  #addWrite(choices: Choice[], state: RegisterState, write: number): void {
    const step = this.#step(write);
    if (changesState(step) && allows(state, step)) choices.push({ state: after(state, step), write });
  }

  #rememberFork(front: number): boolean {
    const position = `${front};${this.#candidates.join()};${this.#state.revision}`;
    if (!this.#deadEnds.visit(position, this.#state)) return false;
    this.#budget.deadEnds--;
    return true;
  }

  #noteProgress(front: number): void {
    const placed = this.#list.linearized;
    if (this.#farthest !== undefined && this.#farthest.placed >= placed) return;
    this.#farthest = { stuck: front, around: [...this.#candidates], state: this.#state, placed };
  }

  /** The first of the ways on; without any, the next one of the last fork, with everything put back to how it was there. */
  #fork(choices: Choice[]): Choice | undefined {
    const [first, ...untried] = choices;
    if (first !== undefined) {
      if (untried.length > 0) this.#forks.push({ linearized: this.#list.linearized, untried });
      return first;
    }
    const fork = this.#forks.at(-1);
    if (fork === undefined) return undefined;
    this.#list.restoreTo(fork.linearized);
    const choice = fork.untried.shift();
    if (fork.untried.length === 0) this.#forks.pop();
    return choice;
  }

  #take({ state, write }: Choice): void {
    this.#state = state;
    if (write !== undefined) this.#list.lift(write);
    this.#writesPlaced = this.#countWritesPlaced();
  }

  /** Writes are placed in order and their revisions are the floor's steps, so the floor says how many are placed. */
  #countWritesPlaced(): number {
    let placed = this.#writesPlaced;
    const revisionAt = (index: number): number => this.#revision(at(this.#writes, index));
    while (placed > 0 && revisionAt(placed - 1) > this.#state.floor) placed--;
    while (placed < this.#writes.length && revisionAt(placed) <= this.#state.floor) placed++;
    return placed;
  }

  #failure(): SearchResult {
    assert(this.#farthest !== undefined, "a search that failed got somewhere first");
    const { stuck, around, state, placed } = this.#farthest;
    const operationOf = (index: number): Operation => at(this.#key.definite, index).operation;
    return { is: "not-linearizable", stuck: operationOf(stuck), around: around.map(operationOf), state, placed };
  }
}
