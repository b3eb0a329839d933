/** Something happened that Paxos rules out. */
export class Violation extends Error {
  override name = "Violation";
}
