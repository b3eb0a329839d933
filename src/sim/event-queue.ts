type Task = () => void;

const INITIAL_PLACES = 256;

/**
 * Events by time, those of the same moment in the order in which they were added: a binary heap, and beside it a queue for what is due
 * at the moment of the event that was taken last, which is half of all. Each part of an event has an array of its own, as objects with
 * times in them would cost more than all else that is done here.
 */
export class EventQueue {
  /** Events that are added with an order of their own from here on come behind all others of their moment. */
  static readonly LAST = 2 ** 52;
  /** The heap; its size is that of `#tasks`. */
  readonly #tasks: Task[] = [];
  #times = new Float64Array(INITIAL_PLACES);
  #orders = new Float64Array(INITIAL_PLACES);
  #due: Task[] = [];
  #dueOrders: number[] = [];
  #dueTaken = 0;
  #nowMs = -Infinity;
  #added = 0;

  get size(): number {
    return this.#tasks.length + this.#due.length - this.#dueTaken;
  }

  /** When the event that was taken last was due. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** When the next event is due; Infinity when there is none. */
  get nextMs(): number {
    if (this.#dueTaken < this.#due.length) return this.#nowMs;
    return this.#tasks.length === 0 ? Infinity : this.#times[0] as number;
  }

  /** Adds what happens at `atMs`, which must not be before the event that was taken last. */
  add(atMs: number, task: Task, order = this.#added++): void {
    if (atMs !== this.#nowMs) return this.#push(atMs, order, task);
    this.#due.push(task);
    this.#dueOrders.push(order);
  }

  #push(atMs: number, order: number, task: Task): void {
    let at = this.#tasks.push(task) - 1;
    if (at === this.#times.length) this.#grow();
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(atMs, order, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, atMs, order, task);
  }

  #grow(): void {
    const [times, orders] = [this.#times, this.#orders];
    this.#times = new Float64Array(2 * times.length);
    this.#orders = new Float64Array(2 * times.length);
    this.#times.set(times);
    this.#orders.set(orders);
  }

  /** Takes the next event; the queue must not be empty. */
  take(): Task {
    if (this.#isDueNext()) return this.#takeDue();
    const first = this.#tasks[0] as Task;
    this.#nowMs = this.#times[0] as number;
    const last = this.#tasks.length - 1;
    const [atMs, order, task] = [this.#times[last] as number, this.#orders[last] as number, this.#tasks.pop() as Task];
    if (last > 0) this.#sink(atMs, order, task);
    return first;
  }

  #isDueNext(): boolean {
    if (this.#dueTaken === this.#due.length) return false;
    return this.#tasks.length === 0 || this.#isBefore(this.#nowMs, this.#dueOrders[this.#dueTaken] as number, 0);
  }

  #takeDue(): Task {
    const task = this.#due[this.#dueTaken] as Task;
    this.#dueTaken += 1;
    if (this.#dueTaken === this.#due.length) {
      this.#due = [];
      this.#dueOrders = [];
      this.#dueTaken = 0;
    }
    return task;
  }

  #sink(atMs: number, order: number, task: Task): void {
    const size = this.#tasks.length;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isBefore(this.#times[child + 1] as number, this.#orders[child + 1] as number, child)) child += 1;
      if (this.#isBefore(atMs, order, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, atMs, order, task);
  }

  /** Whether an event comes before the one at a place of the heap. */
  #isBefore(atMs: number, order: number, place: number): boolean {
    const other = this.#times[place] as number;
    return atMs < other || (atMs === other && order < (this.#orders[place] as number));
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from] as number, this.#orders[from] as number, this.#tasks[from] as Task);
  }

  #put(at: number, atMs: number, order: number, task: Task): void {
    this.#times[at] = atMs;
    this.#orders[at] = order;
    this.#tasks[at] = task;
  }
}
