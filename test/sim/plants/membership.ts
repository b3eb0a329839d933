import type { Plant } from "./plant.ts";
import { PROPOSES_ABOVE_UNSEEN, PROPOSES_UNSEEN } from "./watch-patches.ts";

/** Rules 13 and 16 to 19: who the members are, and how many of them must agree. */
export const MEMBERSHIP: readonly Plant[] = [
  {
    name: "lost-disk-votes-again",
    rule: "13",
    mistake: "A member that lost its disk comes back under its old incarnation.",
    patches: [{ file: "sim/machine.ts", replace: "  return disk === 0 ? memberIncarnation(machine)", by: "  return disk >= 0 ? memberIncarnation(machine)" }],
  },
  {
    name: "founded-by-name",
    rule: "13",
    mistake: "An empty member takes a founding document that names it, whichever incarnation that was.",
    patches: [{ file: "node/founding-check.ts", replace: "some(({ incarnation }) => incarnation === identity.incarnation);", by: "some(({ name }) => name === identity.member);" }],
  },
  {
    name: "copied-volume-is-admitted",
    rule: "13",
    mistake: "A peer that comes with fewer durable records than it had is admitted.",
    patches: [{ file: "transport/handshake.ts", replace: "  if (hello.lastRecord >= known) return null;", by: "  if (hello.lastRecord >= Math.min(known, 0)) return null;" }],
  },
  {
    name: "entered-without-its-quorum",
    rule: "16",
    mistake: "A leader goes on behind a configuration entry as soon as that is chosen, without promises of the new voters (trace a).",
    patches: [{ file: "paxos/reconfiguration.ts", replace: "this.#context.log.chosenThrough < stage.slot || !stage.phaseOne.hasQuorum()) return null;", by: "this.#context.log.chosenThrough < stage.slot) return null;" },
      { file: "paxos/phase-one.ts", replace: "    assert(this.hasQuorum(), \"only a quorum's reports are adopted\");\n", by: "" },
      PROPOSES_UNSEEN],
  },
  {
    name: "entered-before-it-is-chosen",
    rule: "16",
    mistake: "A leader goes on behind a configuration entry before all slots up to it are chosen (trace b).",
    patches: [{ file: "paxos/reconfiguration.ts", replace: "if (stage === null || this.excluded || this.overtaken || this.#context.log.chosenThrough < stage.slot || ", by: "if (stage === null || this.excluded || this.overtaken || " },
      {
        file: "paxos/leader.ts",
        replace: "    assert(adopted.firstSlot >= this.#nextSlot, \"a configuration is entered where the last one ended\");\n    this.#nextSlot = adopted.firstSlot;\n    this.#proposeAdopted(adopted.values);",
        by: "    const proposed = Math.max(0, this.#nextSlot - adopted.firstSlot);\n    this.#nextSlot = Math.max(this.#nextSlot, adopted.firstSlot) as Slot;\n    this.#proposeAdopted(adopted.values.slice(proposed));",
      },
      PROPOSES_ABOVE_UNSEEN],
  },
  {
    name: "new-voters-decide-below",
    rule: "16",
    mistake: "From the proposal of a configuration on its voters decide what is chosen, also in the slots up to its own (trace b).",
    patches: [{
      file: "paxos/leader.ts",
      replace: "    const { configuration, self, log } = this.#context;\n    const next = log.chosenThrough + 1;",
      by: "    const { self, log } = this.#context;\n    const configuration = this.#reconfiguration.next ?? this.#context.configuration;\n    const next = log.chosenThrough + 1;",
    }, PROPOSES_ABOVE_UNSEEN],
  },
  {
    name: "change-before-the-barrier",
    rule: "16",
    mistake: "A new leader begins a change before its barrier is chosen.",
    patches: [{ file: "paxos/reconfiguration.ts", replace: "    if (!ready || held) return \"notReady\";", by: "    if (held) return \"notReady\";" }],
  },
  {
    name: "chosen-without-its-promise",
    rule: "16",
    mistake: "Whoever is told that a slot is chosen does not promise what its informant has promised (the trace that the model found).",
    patches: [{ file: "paxos/core.ts", replace: "    if (compareBallots(ballot, this.#acceptor.promised) <= 0) return;\n    this.#yieldTo(ballot);\n    this.#acceptor.promise(ballot);", by: "    if (ballot.round >= 0) return;\n    this.#yieldTo(ballot);\n    this.#acceptor.promise(ballot);" }],
  },
  {
    name: "second-change-at-once",
    rule: "16",
    mistake: "A leader begins a change while an earlier one is not done.",
    patches: [
      { file: "paxos/reconfiguration.ts", replace: "    if (!this.done) return \"changePending\";\n", by: "" },
      { file: "paxos/reconfiguration.ts", replace: "    assert(this.#stage === null, \"one configuration is entered before the next is proposed\");\n", by: "" },
    ],
  },
  {
    name: "done-when-chosen",
    rule: "16a",
    mistake: "A change counts as done when its entry is chosen, whoever of the new voters holds it.",
    patches: [{ file: "paxos/reconfiguration.ts", replace: "isQuorum(configuration, (voter) => durableThrough(voter) >= configurationSlot);", by: "isQuorum(configuration, (voter) => durableThrough(voter) >= 0);" }],
  },
  {
    name: "inherited-change-counts-as-done",
    rule: "16a",
    mistake: "A new leader takes the change that it finds in force for done, whoever of the new voters holds it.",
    patches: [{ file: "paxos/reconfiguration.ts", replace: "    this.#ballot = ballot;\n  }", by: "    this.#ballot = ballot;\n    this.#doneSlot = learner.configurationSlot;\n  }" }],
  },
  {
    name: "learner-counts",
    rule: "17",
    mistake: "A quorum counts learners.",
    patches: [{ file: "paxos/configuration.ts", replace: "  for (const { incarnation } of configuration.voters) if (holds(incarnation)) count += 1;", by: "  for (const { incarnation } of allMembers(configuration)) if (holds(incarnation)) count += 1;" }],
  },
  {
    name: "leaver-answers-nothing",
    rule: "18",
    mistake: "A member that knows that it left answers nobody any more, also not about the slots up to the entry that says so.",
    patches: [{
      file: "paxos/core.ts",
      replace: "    if (this.#fenced) return;\n    switch (message.type) {",
      by: "    if (this.#fenced || !isMember(this.#context.configuration, this.#context.self)) return;\n    switch (message.type) {",
    }],
  },
  {
    name: "removed-member-campaigns",
    rule: "18",
    mistake: "A member that knows that it left campaigns like any other.",
    patches: [
      { file: "paxos/core.ts", replace: "    if (!isVoter(configuration, self)) {", by: "    if (configuration.voters.length === 0) {" },
      { file: "paxos/core.ts", replace: "        if (isVoter(this.#context.configuration, this.#context.self)) this.#campaign();", by: "        this.#campaign();" },
      { file: "paxos/core.ts", replace: "    if (!isVoter(this.#context.configuration, this.#context.self)) return this.#loseElection(phaseOne.ballot, \"removed\");\n", by: "" },
    ],
  },
  {
    name: "unknown-candidate-is-ignored",
    rule: "18",
    mistake: "An acceptor does not answer a candidate that its own configuration does not name.",
    patches: [{
      file: "paxos/core.ts",
      replace: "    const raises = compareBallots(message.ballot, this.#acceptor.promised) > 0;\n",
      by: "    if (!isMember(this.#context.configuration, from)) return;\n    const raises = compareBallots(message.ballot, this.#acceptor.promised) > 0;\n",
    }],
  },
  {
    name: "half-is-a-quorum",
    rule: "19",
    mistake: "Half of an even number of voters is a quorum, so that two quorums need not meet.",
    patches: [{ file: "paxos/configuration.ts", replace: "  return Math.floor(count / 2) + 1;", by: "  return Math.ceil(count / 2);" }],
  },
  {
    name: "quorums-of-the-phases-do-not-meet",
    rule: "19",
    mistake: "Phase 2 makes do with one voter less than phase 1, so that a quorum of the one may miss one of the other.",
    patches: [{ file: "paxos/leader.ts", replace: "    const needed = quorumSize(configuration);", by: "    const needed = Math.max(1, quorumSize(configuration) - 1);" }],
  },
];
