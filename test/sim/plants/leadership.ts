import { LED_COMMAND } from "./led-patches.ts";
import type { Patch, Plant } from "./plant.ts";

const GOES_ON_WITHOUT_QUORUM: Patch = { file: "paxos/core.ts", replace: "    if (!leader.hearsQuorum()) return this.#stepDown(\"quorumLost\", \"later\");\n", by: "" };

const STALLED_CHOICE_UNNOTICED: Patch = { file: "paxos/choice-watch.ts", replace: "    return this.#waitingSinceMs !== null && nowMs", by: "    return this.#waitingSinceMs !== null && nowMs < 0 && nowMs" };

/** Rules 7 to 12: who leads, and what a leader may answer. */
export const LEADERSHIP: readonly Plant[] = [
  {
    name: "pre-vote-is-always-granted",
    rule: "7",
    mistake: "A member lets anybody campaign, also while it hears a leader.",
    patches: [{ file: "paxos/election.ts", replace: "    if (rival) return false;\n", by: "    if (candidate !== null) return true;\n    if (rival) return false;\n" }],
  },
  {
    name: "refused-leader-does-nothing",
    rule: "7",
    mistake: "A leader whose accept is refused for a higher promise goes on as before.",
    patches: [{
      file: "paxos/core.ts",
      replace: "    if (this.#leader === null || !ballotsEqual(ballot, this.#leader.ballot)) return;\n    // The higher",
      by: "    if (ballot.round >= 0) return;\n    if (this.#leader === null || !ballotsEqual(ballot, this.#leader.ballot)) return;\n    // The higher",
    }],
  },
  {
    name: "leader-without-a-quorum-goes-on",
    rule: "8",
    mistake: "A leader that hears no quorum does not step down.",
    patches: [GOES_ON_WITHOUT_QUORUM],
  },
  {
    name: "leader-without-a-quorum-goes-on-unnoticed",
    rule: "8",
    mistake: "The same, and nobody minds that it gets nothing chosen: each alone still keeps the others from waiting for ever.",
    patches: [GOES_ON_WITHOUT_QUORUM, STALLED_CHOICE_UNNOTICED],
  },
  {
    name: "held-up-leader-goes-on",
    rule: "8",
    mistake: "A leader that gets nothing chosen, as it needs a voter whose disk hangs, is a reason to refuse pre-votes for as long as it is heard.",
    patches: [STALLED_CHOICE_UNNOTICED],
  },
  {
    name: "stalled-voter-answers-pre-votes",
    rule: "8",
    mistake: "A voter whose disk answers nothing grants pre-votes, though its promise would not come.",
    patches: [{ file: "paxos/core.ts", replace: "    if (this.#disk.stalled()) return;\n    const choiceStalled", by: "    const choiceStalled" }],
  },
  {
    name: "any-closed-link-voids-the-leader",
    rule: "7",
    mistake: "A member that sees any link close, not the leader's, grants pre-votes and asks for some.",
    patches: [
      { file: "paxos/election.ts", replace: "    if (peer !== this.#leader) return;\n", by: "" },
      { file: "paxos/core.ts", replace: "if (!up) this.#election.linkClosed(peer);", by: "if (!up && this.#leader === null) this.#election.linkClosed(peer);" },
    ],
  },
  {
    name: "pre-vote-compares-logs",
    rule: "8",
    mistake: "A candidate counts the pre-votes of those only whose log is no longer than its own (constrained election).",
    patches: [{
      file: "paxos/election.ts",
      replace: "this.#preVote.nonce !== message.nonce || !this.#lets(message)) return false;",
      by: "this.#preVote.nonce !== message.nonce || !this.#lets(message) || message.chosenThrough > this.#context.log.chosenThrough) return false;",
    }, {
      file: "paxos/core.ts",
      replace: "        this.#learner.heardChosen(from, message.chosenThrough);\n        if (this.#leader !== null || this.#phaseOne",
      by: "        if (this.#leader !== null || this.#phaseOne",
    }],
  },
  {
    name: "no-pre-vote",
    rule: "8",
    mistake: "Whoever hears no leader opens a ballot at once, without asking whether others hear one (chained).",
    patches: [{ file: "paxos/core.ts", replace: "    if (this.#election.startPreVote()) this.#campaign();", by: "    this.#election.startPreVote();\n    this.#campaign();" }],
  },
  {
    name: "links-count-as-hearing",
    rule: "8",
    mistake: "A leader counts on every member with which it has a link, though nothing may come back on it (one-way links).",
    patches: [{ file: "paxos/leader.ts", replace: "this.#holds(voter, (progress) => this.#hearsFrom(progress)));", by: "this.#holds(voter, (progress) => progress.linkUp || this.#hearsFrom(progress)));" }],
  },
  {
    name: "closed-link-is-an-election",
    rule: "8",
    mistake: "A member whose link to the leader closes campaigns at once, whoever else hears the leader (flapping links).",
    patches: [{
      file: "paxos/core.ts",
      replace: "    if (!up) this.#election.linkClosed(peer);",
      by: "    const lost = !up && peer === this.#election.leader && this.#phaseOne === null && !this.#fenced && isVoter(this.#context.configuration, this.#context.self);\n    if (!up) this.#election.linkClosed(peer);\n    if (lost && this.#leader === null) this.#campaign();",
    }],
  },
  {
    name: "stalled-leader-goes-on",
    rule: "9",
    mistake: "A leader whose disk answers nothing does not step down.",
    patches: [{ file: "paxos/core.ts", replace: "    if (this.#disk.stalled()) return this.#stepDown(\"diskStalled\", \"later\");\n", by: "" }],
  },
  {
    name: "no-probe",
    rule: "9",
    mistake: "A leader that has nothing to record does not try whether its disk still answers.",
    patches: [{ file: "paxos/disk-watch.ts", replace: "    if (nowMs - this.#recordedAtMs >= timings.diskStallMs / 2) outbox", by: "    if (nowMs < 0 && timings.diskStallMs > 0) outbox" }],
  },
  {
    name: "led-command-is-not-judged",
    rule: "10",
    mistake: "A command that depends on leadership takes effect also when its leader's time is over.",
    patches: [...LED_COMMAND, { file: "node/applier.ts", replace: "isOutdated(command, this.#handle.leaderBallot);", by: "false;" }],
  },
  {
    name: "led-command-is-judged-by-the-accepting-ballot",
    rule: "10",
    mistake: "A command that depends on leadership is held against the ballot at which its slot was accepted here.",
    patches: [
      ...LED_COMMAND,
      { file: "paxos/learner.ts", replace: "      outbox.apply({ slot, value: entry.value,", by: "      outbox.apply({ acceptedAt: entry.ballot, slot, value: entry.value," },
      { file: "node/applier.ts", replace: "isOutdated(command, this.#handle.leaderBallot);", by: "isOutdated(command, this.#queue[this.#done].acceptedAt);" },
      { file: "node/applier.ts", replace: "      if (!outdated) tookEffect(command, this.#handle.leaderBallot);\n", by: "" },
    ],
  },
  {
    name: "snapshot-forgets-the-leader-ballot",
    rule: "10",
    mistake: "A state that is read from a snapshot takes commands of leaders whose time was over before it.",
    patches: [
      ...LED_COMMAND,
      { file: "node/applier.ts", replace: "    this.#handle = start.snapshot ?? {", by: "    this.#handle = start.snapshot !== null ? { ...start.snapshot, leaderBallot: ZERO_BALLOT } : {" },
      { file: "node/applier.ts", replace: "    this.#handle = { slot, configuration, configurationSlot, leaderBallot, cluster };", by: "    this.#handle = { slot, configuration, configurationSlot, leaderBallot: { ...leaderBallot, round: 0 }, cluster };" },
    ],
  },
  {
    name: "read-without-a-round",
    rule: "11",
    mistake: "A leader answers reads from what it knows, without asking a quorum whether it still leads.",
    patches: [{
      file: "paxos/leader.ts",
      replace: "progress.answeredNonce >= nonce",
      by: "progress.answeredNonce >= Math.min(nonce, 0)",
    }],
  },
  {
    name: "read-round-of-before",
    rule: "11",
    mistake: "A read is confirmed by the answers to a round of heartbeats that began before it arrived.",
    patches: [{
      file: "paxos/read-rounds.ts",
      replace: "    this.#leader.heartbeat();\n    this.#round = { nonce: this.#leader.nonce,",
      by: "    this.#leader.heartbeat();\n    this.#round = { nonce: this.#leader.nonce - 1,",
    }],
  },
  {
    name: "read-of-a-later-life-is-answered",
    rule: "11",
    mistake: "Every life numbers its questions for a read index from 1, and the answer to an older question counts.",
    patches: [
      { file: "paxos/read-rounds.ts", replace: "    if (this.#asked === null || this.#asked.nonce !== nonce) return;", by: "    if (this.#asked === null) return;" },
    ],
  },
  {
    name: "read-before-its-slot-is-applied",
    rule: "11",
    mistake: "A confirmed read is answered before the slots that were chosen by then are applied here.",
    patches: [{ file: "node/read-router.ts", replace: ".slot <= applied) done += 1;", by: ".slot <= applied + 1_000_000) done += 1;" }],
  },
  {
    name: "transfer-does-not-wait",
    rule: "12",
    mistake: "Leadership is handed to a target that does not hold yet what was proposed.",
    patches: [{ file: "paxos/transfer.ts", replace: "    if (!this.#sent && this.#leader.isCaughtUp(this.target)) {", by: "    if (!this.#sent) {" }],
  },
  {
    name: "failed-transfer-holds-for-ever",
    rule: "12",
    mistake: "Proposals that waited for a transfer go on waiting when it has failed.",
    patches: [{ file: "paxos/transfer.ts", replace: "      this.#leader.held = false;\n", by: "" }],
  },
];
