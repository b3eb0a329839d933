interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * Events by time, those of the same moment in the order in which they were added: a binary heap, and beside it a queue for what is due
 * at the moment of the event that was taken last, which is half of all.
 */
export class EventQueue {
  /** Events that are added with an order of their own from here on come behind all others of their moment. */
  static readonly LAST = 2 ** 52;
  readonly #heap: Entry[] = [];
  #due: Entry[] = [];
  #dueTaken = 0;
  #nowMs = -Infinity;
  #added = 0;

  get size(): number {
    return this.#heap.length + this.#due.length - this.#dueTaken;
  }

  /** When the next event is due; Infinity when there is none. */
  get nextMs(): number {
    return Math.min(this.#due[this.#dueTaken]?.atMs ?? Infinity, this.#heap[0]?.atMs ?? Infinity);
  }

  add(atMs: number, run: () => void, order = this.#added++): void {
    const entry = { atMs, order, run };
    if (atMs === this.#nowMs) this.#due.push(entry);
    else this.#push(entry);
  }

  #push(entry: Entry): void {
    let at = this.#heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, this.#at(parent))) break;
      this.#heap[at] = this.#at(parent);
      at = parent;
    }
    this.#heap[at] = entry;
  }

  /** Takes the next event; the queue must not be empty. */
  take(): Entry {
    const entry = this.#takeFirst();
    this.#nowMs = entry.atMs;
    return entry;
  }

  #takeFirst(): Entry {
    const due = this.#due[this.#dueTaken];
    const first = this.#heap[0];
    if (due === undefined || (first !== undefined && before(first, due))) return this.#takeFromHeap();
    this.#dueTaken += 1;
    if (this.#dueTaken === this.#due.length) {
      this.#due = [];
      this.#dueTaken = 0;
    }
    return due;
  }

  #takeFromHeap(): Entry {
    const first = this.#at(0);
    const last = this.#heap.pop() as Entry;
    if (this.#heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: Entry): void {
    const size = this.#heap.length;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && before(this.#at(child + 1), this.#at(child))) child += 1;
      if (!before(this.#at(child), entry)) break;
      this.#heap[at] = this.#at(child);
      at = child;
    }
    this.#heap[at] = entry;
  }

  #at(index: number): Entry {
    return this.#heap[index] as Entry;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
