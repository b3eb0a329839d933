import { at } from "./at.ts";
import type { Definite } from "./key-history.ts";

/**
 * The calls and returns of one key in order of time, as a doubly linked list from which operations are lifted as they are linearized and into
 * which they are put back when the search turns round (Wing and Gong's algorithm as Lowe wrote it down). A call and a return at the same
 * nanosecond count as concurrent, so calls sort first.
 *
 * An operation may be linearized next exactly when its call stands before the first return that is left: then nothing that is left returned
 * before it was invoked.
 */
export class EventList {
  readonly #definite: readonly Definite[];
  readonly #next: Int32Array;
  readonly #prev: Int32Array;
  /** The operation of a node, as an index into the definite operations. */
  readonly #operation: Int32Array;
  /** 1 for a return. */
  readonly #isReturn: Uint8Array;
  readonly #callNode: Int32Array;
  readonly #returnNode: Int32Array;
  /** Lifted operations, in order. */
  readonly #trail: number[] = [];

  constructor(definite: readonly Definite[]) {
    this.#definite = definite;
    const nodes = definite.length * 2 + 1;
    this.#next = new Int32Array(nodes + 1);
    this.#prev = new Int32Array(nodes + 1);
    this.#operation = new Int32Array(nodes + 1);
    this.#isReturn = new Uint8Array(nodes + 1);
    this.#callNode = new Int32Array(definite.length);
    this.#returnNode = new Int32Array(definite.length);
    this.#fill();
  }

  #fill(): void {
    const count = this.#definite.length;
    // Event 2i is the call of operation i and 2i + 1 its return, so that ties can be broken by the lowest bit.
    const timeOf = (event: number): number => {
      const { invokeNs, returnNs } = at(this.#definite, event >> 1);
      return (event & 1) === 0 ? invokeNs : returnNs;
    };
    const events = Array.from({ length: count * 2 }, (_, event) => event);
    events.sort((a, b) => timeOf(a) - timeOf(b) || (a & 1) - (b & 1) || a - b);
    events.forEach((event, index) => {
      const node = index + 1;
      this.#operation[node] = event >> 1;
      this.#isReturn[node] = event & 1;
      ((event & 1) === 0 ? this.#callNode : this.#returnNode)[event >> 1] = node;
    });
    // Node 0 stands before the first and after the last.
    const last = events.length;
    for (let node = 0; node <= last; node++) {
      this.#next[node] = node === last ? 0 : node + 1;
      this.#prev[node] = node === 0 ? last : node - 1;
    }
  }

  get linearized(): number {
    return this.#trail.length;
  }

  get isEmpty(): boolean {
    return this.#next[0] === 0;
  }

  /** Operations that may be linearized next, in order of invocation, into `into`, and how far time got: the first return that is left. */
  candidates(into: number[]): { readonly operation: number; readonly returnNs: number } {
    into.length = 0;
    let node = entry(this.#next, 0);
    while (this.#isReturn[node] === 0) {
      into.push(entry(this.#operation, node));
      node = entry(this.#next, node);
    }
    const operation = entry(this.#operation, node);
    return { operation, returnNs: at(this.#definite, operation).returnNs };
  }

  lift(operation: number): void {
    this.#unlink(entry(this.#callNode, operation));
    this.#unlink(entry(this.#returnNode, operation));
    this.#trail.push(operation);
  }

  /** Puts back what was lifted last until only `count` operations are lifted. */
  restoreTo(count: number): void {
    while (this.#trail.length > count) {
      const operation = at(this.#trail, this.#trail.length - 1);
      this.#trail.length--;
      this.#relink(entry(this.#returnNode, operation));
      this.#relink(entry(this.#callNode, operation));
    }
  }

  #unlink(node: number): void {
    const before = entry(this.#prev, node);
    const after = entry(this.#next, node);
    this.#next[before] = after;
    this.#prev[after] = before;
  }

  #relink(node: number): void {
    this.#next[entry(this.#prev, node)] = node;
    this.#prev[entry(this.#next, node)] = node;
  }
}

/** Like `at`, for the tables of nodes alone, so that it stays fast. */
function entry(table: Int32Array, index: number): number {
  const value = table[index];
  if (value === undefined) throw new RangeError(`no node ${index}`);
  return value;
}
