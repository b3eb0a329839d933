import type { Plant } from "./plant.ts";
import { PROPOSES_UNSEEN } from "./watch-patches.ts";

/** Rules 1 to 4: what makes a value chosen. */
export const AGREEMENT: readonly Plant[] = [
  {
    name: "accepting-promises-nothing",
    rule: "1",
    mistake: "An acceptor that accepts at a ballot goes back to the promise that it had before.",
    patches: [
      {
        file: "paxos/acceptor.ts",
        replace: `    const { ballot, firstSlot, values, chosenThrough } = message;
    if (!this.promise(ballot)) return this.reject(from, ballot);`,
        by: `    const { ballot, firstSlot, values, chosenThrough } = message;
    const before = this.#promised;
    if (compareBallots(ballot, before) < 0) return this.reject(from, ballot);
    this.#promised = ballot;
    if (compareBallots(ballot, before) > 0) this.#restartRange((log.last + 1) as Slot);`,
      },
      {
        file: "paxos/acceptor.ts",
        replace: "    this.#ackTo = from;\n  }",
        by: "    this.#ackTo = from;\n    this.flushAck();\n    this.#promised = before;\n  }",
      },
    ],
  },
  {
    name: "old-promise-counts",
    rule: "2",
    mistake: "A candidate counts a promise whatever ballot it answers.",
    patches: [{
      file: "paxos/phase-one.ts",
      replace: "    if (!ballotsEqual(message.ballot, this.ballot)) return;\n    // An answer",
      by: "    // An answer",
    }, PROPOSES_UNSEEN],
  },
  {
    name: "promise-counts-twice",
    rule: "2",
    mistake: "A candidate counts each promise message, also two of the same member.",
    patches: [
      {
        file: "paxos/phase-one.ts",
        replace: "    this.#promisedBy.add(from);",
        by: "    this.#promisedBy.add((this.#promisedBy.has(from) ? this.#context.configuration.voters.find(({ incarnation }) => !this.#promisedBy.has(incarnation))?.incarnation : from) as never);",
      },
      PROPOSES_UNSEEN,
    ],
  },
  {
    name: "only-the-first-slot-is-reported",
    rule: "3",
    mistake: "An acceptor reports only the first slot that it was asked about.",
    patches: [{
      file: "paxos/acceptor.ts",
      replace: "    const lastSlot = entries.at(-1)?.slot ?? log.last;\n",
      by: "    entries.splice(1);\n    const lastSlot = log.last;\n",
    }],
  },
  {
    name: "own-value-wins",
    rule: "3",
    mistake: "A new leader prefers what it accepted itself to what was accepted at a higher ballot.",
    patches: [{
      file: "paxos/phase-one.ts",
      replace: "    if (own === undefined || compareBallots(reported.ballot, own.ballot) > 0) return reported.value;",
      by: "    if (own === undefined) return reported.value;",
    }],
  },
  {
    name: "first-report-wins",
    rule: "3",
    mistake: "Of several reports of one slot a candidate takes the first and not that of the highest ballot.",
    patches: [{
      file: "paxos/phase-one.ts",
      replace: "    if (known === undefined || compareBallots(entry.ballot, known.ballot) > 0) this",
      by: "    if (known === undefined) this",
    }],
  },
  {
    name: "reads-before-the-barrier",
    rule: "3",
    mistake: "A new leader answers reads before its barrier is chosen.",
    patches: [{
      file: "paxos/read-rounds.ts",
      replace: "this.#waiting.length === 0 || !this.#leader.servesReads) return;",
      by: "this.#waiting.length === 0) return;",
    }],
  },
  {
    name: "serves-behind-its-first-choice",
    rule: "3",
    mistake: "A new leader serves as soon as anything is chosen in its own ballot, though it may have adopted more than that.",
    patches: [
      { file: "paxos/leader.ts", replace: "if (!this.#ready && this.#barrierSlot !== null && chosenThrough >= this.#barrierSlot) this.", by: "if (!this.#ready && this.#barrierSlot !== null && chosenThrough >= this.#base) this." },
      { file: "paxos/leader.ts", replace: "this.#settledSlot !== null && this.#context.log.chosenThrough >= this.#settledSlot;", by: "this.#settledSlot !== null && this.#context.log.chosenThrough >= this.#base;" },
    ],
  },
  {
    name: "only-the-own-log-is-adopted",
    rule: "3",
    mistake: "A new leader adopts nothing in slots above its own log, though an acceptor may hold one that is chosen.",
    patches: [{ file: "paxos/phase-one.ts", replace: "    for (const slot of this.#reported.keys()) last = Math.max(last, slot);\n", by: "" }],
  },
  {
    name: "chosen-at-any-ballot",
    rule: "3a",
    mistake: "A member that hears \"chosen ≤ c\" takes whatever it holds there for chosen.",
    patches: [
      {
        file: "paxos/acceptor.ts",
        replace: "    const through = Math.min(this.#through, chosenThrough) as Slot;\n    return through < this.#from ? null : { from: this.#from, through };",
        by: `    const { log } = this.#context;
    let through = log.chosenThrough;
    while (through < chosenThrough && log.get(through + 1) !== undefined) through = (through + 1) as Slot;
    return { from: (log.chosenThrough + 1) as Slot, through };`,
      },
    ],
  },
  {
    name: "acks-reach-back",
    rule: "3a",
    mistake: "An acknowledgement \"≤ n\" also covers slots that were accepted at another ballot, or never, below a dropped accept.",
    patches: [
      { file: "paxos/acceptor.ts", replace: "      if (start > beginsBy) {", by: "      if (start > beginsBy + 1_000_000) {" },
      { file: "paxos/progress.ts", replace: "    return this.from <= slot && slot <= this.through;", by: "    return slot <= this.through;" },
    ],
  },
  {
    name: "any-ack-counts",
    rule: "3a",
    mistake: "A leader counts an acknowledgement whatever ballot it names.",
    patches: [{
      file: "paxos/leader.ts",
      replace: `    if (progress === undefined || !ballotsEqual(message.ballot, this.ballot)) return;
    assert(message.through < this.#nextSlot, "nobody accepts at this ballot what was not proposed");
    progress.acknowledge(message, this.#context.nowMs);`,
      by: `    if (progress === undefined) return;
    progress.acknowledge({ from: message.from, through: Math.min(message.through, this.#nextSlot - 1) as Slot }, this.#context.nowMs);`,
    }],
  },
  {
    name: "promise-without-its-snapshot",
    rule: "4",
    mistake: "A candidate counts the promise of a member that cut its log without installing that member's snapshot.",
    patches: [{
      file: "paxos/phase-one.ts",
      replace: "    this.#waitingForSnapshot.add(from);\n",
      by: "    this.#promisedBy.add(from);\n    this.#waitingForSnapshot.add(from);\n",
    }, PROPOSES_UNSEEN],
  },
  {
    name: "below-the-snapshot-is-acknowledged",
    rule: "4",
    mistake: "A lagging candidate counts a promise without its snapshot, and a member's \"I have it in my snapshot\" as an acknowledgement.",
    patches: [
      {
        file: "paxos/phase-one.ts",
        replace: "    this.#waitingForSnapshot.add(from);\n",
        by: "    this.#promisedBy.add(from);\n    this.#waitingForSnapshot.add(from);\n",
      },
      {
        file: "paxos/leader.ts",
        replace: "through <= progress.through || through > this.#context.log.chosenThrough) return;\n    progress.acknowledge({ from: (through + 1) as Slot, through }, this.#context.nowMs);",
        by: "through <= progress.through) return;\n    progress.acknowledge({ from: (this.#context.log.chosenThrough + 1) as Slot, through: Math.min(through, this.#nextSlot - 1) as Slot }, this.#context.nowMs);\n    this.#countVotes();",
      },
      PROPOSES_UNSEEN,
    ],
  },
  {
    name: "nothing-below-the-cut",
    rule: "4",
    mistake: "An acceptor that is asked about slots that it cut answers as if nothing were accepted there.",
    patches: [{ file: "paxos/acceptor.ts", replace: "    if (fromSlot <= log.cutThrough) {\n      return outbox.sendWhenDurable", by: "    if (fromSlot < 0) {\n      return outbox.sendWhenDurable" }],
  },
];
