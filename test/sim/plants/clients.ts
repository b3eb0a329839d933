import type { Plant } from "./plant.ts";

/** Rules 22 and 26: what clients are told, and what is bounded. */
export const CLIENTS: readonly Plant[] = [
  {
    name: "forward-is-repeated",
    rule: "22",
    mistake: "A forwarder sends a write without a retry token again that may have been received.",
    patches: [{ file: "node/write-router.ts", replace: "      if (isRepeatable(write.command)) this.#wait(write);", by: "      if (write.command.length > 0 || isRepeatable(write.command)) this.#wait(write);" }],
  },
  {
    name: "unknown-is-reported-as-failed",
    rule: "22",
    mistake: "A write of which it is not known what became is reported as not executed.",
    patches: [{ file: "node/write-router.ts", replace: "      else this.#answer(write, new SynodError(\"SYNOD_ERR_OUTCOME_UNKNOWN\"));", by: "      else this.#answer(write, new SynodError(\"SYNOD_ERR_NO_LEADER\"));" },
      { file: "node/write-router.ts", replace: "    const claimsNothing = outcome instanceof SynodError && write.maybeExecuted;", by: "    const claimsNothing = outcome === null && write.maybeExecuted;" }],
  },
  {
    name: "idempotency-key-is-forgotten",
    rule: "22",
    mistake: "Only refusals are remembered for an idempotency key.",
    patches: [{ file: "state/state-machine.ts", replace: "    this.#idempotency.remember(key,", by: "    if (result.type === \"refused\") this.#idempotency.remember(key," }],
  },
  {
    name: "unconfirmed-read-is-dropped",
    rule: "11",
    mistake: "A read that no leader confirms is neither asked for again nor answered.",
    patches: [{
      file: "node/read-router.ts",
      replace: "      this.#waiting = [...reads, ...this.#waiting];\n      return;",
      by: "      this.#held -= reads.length;\n      return;",
    }],
  },
  {
    name: "restored-sessions-lose-their-order",
    rule: "20",
    mistake: "Sessions that come from a snapshot end in the order of their numbers, and not in that of their last use.",
    patches: [{ file: "state/session-table.ts", replace: "sessions.toSorted((left, right) => left.lastUse - right.lastUse)", by: "sessions" }],
  },
  {
    name: "key-with-another-body-executes",
    rule: "22",
    mistake: "A write is known by its idempotency key and its body: the same key with another body is executed.",
    patches: [{
      file: "state/state-machine.ts",
      replace: "    if (remembered !== null) return answerAgain(remembered, this.#body);",
      by: "    if (remembered !== null && remembered.low === this.#body.low) return answerAgain(remembered, this.#body);",
    }],
  },
  {
    name: "session-keeps-its-newest-result",
    rule: "22",
    mistake: "Of a session only the result of the highest sequence number is remembered, though others may be sent again behind it.",
    patches: [{ file: "state/state-machine.ts", replace: "    const remembered = session.results.get(sequence);", by: "    const remembered = session.results.maxKey() === sequence ? session.results.get(sequence) : undefined;" }],
  },
  {
    name: "session-that-ended-executes",
    rule: "22",
    mistake: "A write under a session that is not known any more is executed.",
    patches: [{ file: "state/state-machine.ts", replace: "    if (session === null) return refused(\"SYNOD_ERR_SESSION_EXPIRED\");", by: "    if (session === null) return this.#write(command);" }],
  },
  {
    name: "log-time-by-wall-clock",
    rule: "22",
    mistake: "Log time is the leader's own clock, so a change of leader ends the window of idempotency keys.",
    patches: [{ file: "node/log-clock.ts", replace: "    return Math.floor(this.#baseMs + nowMs - this.#sinceMs);", by: "    return Math.floor(Math.max(nowMs, this.#baseMs));" }],
  },
  {
    name: "superseded-is-reported-as-chosen",
    rule: "22",
    mistake: "A proposal is answered when any value is chosen in its slot.",
    patches: [
      { file: "paxos/proposals.ts", replace: "    if (bytesEqual(pending.value, value)) return pending.proposalId;", by: "    if (value[0] === pending.value[0] || bytesEqual(pending.value, value)) return pending.proposalId;" },
      { file: "node/write-router.ts", replace: "    assert(results.length === batch.writes.length + batch.prefix, \"each command has one result\");\n", by: "    if (results.length !== batch.writes.length + batch.prefix) return;\n" },
    ],
  },
  {
    name: "forwards-numbered-from-one",
    rule: "22",
    mistake: "Every life of a member numbers what it forwards from 1, so that the answer to an earlier life fits a batch of a later one.",
    patches: [{ file: "node/member.ts", replace: "new WriteRouter(this.#writePort(), nonceSeed);", by: "new WriteRouter(this.#writePort(), 1);" }],
  },
  {
    name: "promise-in-one-message",
    rule: "26",
    mistake: "A promise reports all slots in one message, however large.",
    patches: [{ file: "paxos/acceptor.ts", replace: "    const held = log.slice(fromSlot, log.last, limits.maxMessageBytes);", by: "    const held = log.slice(fromSlot, log.last, limits.maxMessageBytes * 1_000_000);" }],
  },
  {
    name: "unchosen-without-a-bound",
    rule: "26",
    mistake: "A leader proposes however much is proposed and not chosen.",
    patches: [{
      file: "paxos/leader.ts",
      replace: "    return pending === 0 ? Infinity : Math.max(0, this.#context.limits.maxUnchosenBytes - pending);",
      by: "    return pending === 0 ? Infinity : Math.max(Infinity, this.#context.limits.maxUnchosenBytes - pending);",
    }],
  },
];
