import { Violation } from "../scenario/checker.ts";

/** With a quorum healed and time enough, the cluster does not do what it must. */
export class NoProgress extends Violation {
  override name = "NoProgress";
}

/** No order of the clients' operations explains what they were told. */
export class NotLinearizable extends Violation {
  override name = "NotLinearizable";
}

/** Members applied the same slots and differ. */
export class StatesDiffer extends Violation {
  override name = "StatesDiffer";
}

/** Something is larger than its bound (rule 26). */
export class OutOfBounds extends Violation {
  override name = "OutOfBounds";
}
