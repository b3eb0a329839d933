import { Violation } from "../scenario/checker.ts";

/** With a quorum healed and time enough, the cluster does not do what it must. */
export class NoProgress extends Violation {
  override name = "NoProgress";
}

/** Though nothing gives it a reason, leadership goes from one to the other. */
export class NotSteady extends Violation {
  override name = "NotSteady";
}

/** No order of the clients' operations explains what they were told. */
export class NotLinearizable extends Violation {
  override name = "NotLinearizable";
  /** What they did and were told, in order, each line with its time; it is in the message, too. */
  readonly clients: readonly string[];

  constructor(reason: string, clients: readonly string[]) {
    super([`what the clients saw is not linearizable: ${reason}`, ...clients].join("\n"));
    this.clients = clients;
  }
}

/** Members applied the same slots and differ. */
export class StatesDiffer extends Violation {
  override name = "StatesDiffer";
}

/** Something is larger than its bound (rule 26). */
export class OutOfBounds extends Violation {
  override name = "OutOfBounds";
}
