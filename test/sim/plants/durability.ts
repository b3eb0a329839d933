import type { Plant } from "./plant.ts";
import { ACKNOWLEDGES_UNSEEN, LEAVES_UNSEEN, REPORTS_UNSEEN } from "./watch-patches.ts";

/** Rules 5, 6, 13 to 15, 20 and 21: what a disk keeps, and what of it a member may rely on. */
export const DURABILITY: readonly Plant[] = [
  {
    name: "promise-before-its-sync",
    rule: "5",
    mistake: "A promise leaves before it is durable.",
    patches: [{ file: "paxos/acceptor.ts", replace: "    outbox.sendWhenDurable(from, { type: \"promise\",", by: "    outbox.send(from, { type: \"promise\"," }, LEAVES_UNSEEN, REPORTS_UNSEEN],
  },
  {
    name: "ack-before-its-sync",
    rule: "5",
    mistake: "An acknowledgement leaves before what it acknowledges is durable.",
    patches: [{ file: "paxos/acceptor.ts", replace: "    this.#context.outbox.sendWhenDurable(this.#ackTo, ack);", by: "    this.#context.outbox.send(this.#ackTo, ack);" }, ACKNOWLEDGES_UNSEEN],
  },
  {
    name: "own-vote-before-its-sync",
    rule: "5",
    mistake: "A leader counts its own vote as soon as it is recorded.",
    patches: [{
      file: "paxos/leader.ts",
      replace: "    this.#ownAccepts.push({ slot, record, bytes: value.length });\n",
      by: "    this.#ownAccepts.push({ slot, record, bytes: value.length });\n    this.#ownThrough = slot;\n",
    }],
  },
  {
    name: "prepare-before-its-round",
    rule: "5a",
    mistake: "Prepares leave before the round is durable, so that the next life uses it again.",
    patches: [{ file: "paxos/phase-one.ts", replace: "    else outbox.sendWhenDurable(peer, message);", by: "    else outbox.send(peer, message);" }, LEAVES_UNSEEN],
  },
  {
    name: "ballot-is-used-again",
    rule: "5a",
    mistake: "A member that finds its own ballot as its promise campaigns at that one again, though an earlier life of it may have led there.",
    patches: [
      { file: "paxos/acceptor.ts", replace: "this.#promised.round, aboveRound) + 1;", by: "this.#promised.round, aboveRound) + (this.#promised.incarnation === this.#context.self && aboveRound <= this.#promised.round && this.#ownRound > 0 ? 0 : 1);" },
      { file: "paxos/acceptor.ts", replace: "    assert(compareBallots(ballot, this.#promised) > 0, \"an own ballot lies above the promise\");\n", by: "" },
      { file: "paxos/acceptor.ts", replace: "    assert(compareBallots(ballot, this.#promised) > 0, \"a promise never falls\");\n", by: "" },
    ],
  },
  {
    name: "start-trusts-the-page-cache",
    rule: "5b",
    mistake: "A member that starts counts what it reads as durable, and neither syncs it nor writes it again.",
    patches: [
      { file: "storage/recovery.ts", replace: "    await handle.datasync();\n", by: "" },
      { file: "storage/recovery.ts", replace: "  const kept = tail.offset === 0 ? segments.slice(0, -1) : segments;\n", by: "  const kept = segments;\n" },
      {
        file: "storage/recovery.ts",
        replace: "    synced: tail.synced,\n    carried: tail.records,\n    nextSequence: tail.sequence,\n    nextRecord: tail.firstRecord,\n",
        by: "    synced: { segment: nextSegment - 1, offset: tail.end },\n    carried: [],\n    nextSequence: tail.sequence + 1,\n    nextRecord: tail.firstRecord + tail.records.length,\n",
      },
    ],
  },
  {
    name: "failed-sync-is-repeated",
    rule: "5b",
    mistake: "After a failed sync the same pages are synced again, which the kernel holds for clean.",
    patches: [{
      file: "storage/log-writer.ts",
      replace: "      if (error !== null) return void again(error);\n",
      by: `      if (error !== null) {
        return void current.file.datasync().then(() => {
          current.end += batchBytes(records.bytes.length);
          this.#syncs += 1;
          this.#synced = { segment: current.segment, offset: current.end };
          tell(null);
        }, tell);
      }
`,
    }],
  },
  {
    name: "failed-sync-is-ignored",
    rule: "15",
    mistake: "A failed sync is taken for a completed one.",
    patches: [{
      file: "storage/log-writer.ts",
      replace: "      if (error !== null) return tell(error);\n",
      by: "      if (error?.code === \"ENOSPC\") return tell(error);\n",
    }],
  },
  {
    name: "full-leader-goes-on",
    rule: "15",
    mistake: "A leader whose disk is full refuses what makes the state grow, and hands over to nobody.",
    patches: [{ file: "node/space-guard.ts", replace: "    if (refuses && this.#port.leads()) this", by: "    if (refuses && this.#port.leads() && !this.#space.full) this" }],
  },
  {
    name: "no-reserve",
    rule: "15",
    mistake: "No file is kept in reserve for when the disk is full.",
    patches: [
      { file: "storage/segment-maker.ts", replace: "    void this.#inTurn(() => this.#makeReserve());\n", by: "" },
      { file: "storage/segment-maker.ts", replace: "    await this.#makeReserve();\n    if (!this.#closed) this.#setFull(!this.#reserveReady);", by: "    if (!this.#closed) this.#setFull(false);" },
    ],
    test: "storage/full-disk.test.ts",
  },
  {
    name: "checksums-are-not-compared",
    rule: "6",
    mistake: "Members tell each other the checksums of their states, and nobody compares them.",
    patches: [{ file: "node/checksum-watch.ts", replace: "    const unsettled: {", by: "    if (configuration.voters.length > 0) return { kind: \"fine\" };\n    const unsettled: {" }],
    test: "sim/divergence.test.ts",
  },
  {
    name: "snapshot-of-another-moment",
    rule: "6",
    mistake: "A snapshot is read from the live state while it is written, under the slot at which it was begun.",
    patches: [
      {
        file: "node/member.ts",
        replace: "snapshot: state.snapshot() };",
        by: "snapshot: { chunks: function* () { yield* state.snapshot().chunks(); } } as never };",
      },
      { file: "node/restore-state.ts", replace: "    if (state.checksum !== reader.handle.checksum) throw", by: "    if (reader.size < 0) throw" },
      { file: "node/snapshot-fetch.ts", replace: "      assert(state.checksum === handle.checksum, \"a snapshot restores to the checksum in its handle\");\n", by: "" },
      { file: "node/applier.ts", replace: "    assert(state.checksum === handle.checksum, \"a restored state has the checksum of its snapshot\");\n", by: "" },
    ],
  },
  {
    name: "bad-batch-ends-the-log",
    rule: "14",
    mistake: "A batch that does not match its checksum is taken for the end of the log.",
    patches: [
      { file: "storage/segment-scan.ts", replace: "    if (read.kind === \"bad\") throw corrupt(file, offset, read.why);\n    if (read.kind !== \"batch\") {", by: "    if (read.kind === \"bad\") break;\n    if (read.kind !== \"batch\") {" },
      { file: "storage/segment-scan.ts", replace: "  if (end !== null && last.end !== end) throw", by: "  if (end !== null && last.end > end) throw" },
    ],
  },
  {
    name: "bad-end-is-unwritten",
    rule: "14",
    mistake: "A batch that does not match its checksum and has nothing behind it is taken for one that was never written.",
    patches: [{
      file: "storage/segment-scan.ts",
      replace: "    if (read.kind === \"bad\") throw corrupt(file, offset, read.why);\n    if (read.kind !== \"batch\") {",
      by: "    const rest = bytes.subarray(offset);\n    const tag = sectorTag(bytes, offset);\n    const nothingBehind = rest.every((byte, at) => byte === 0 || sectorTag(rest, at - (at % SECTOR_BYTES)) === tag);\n    if (read.kind === \"bad\" && end === null && nothingBehind) break;\n    if (read.kind === \"bad\") throw corrupt(file, offset, read.why);\n    if (read.kind !== \"batch\") {",
    }],
  },
  {
    name: "torn-batch-is-corrupt",
    rule: "14",
    mistake: "A batch of which a power cut left the later sectors and not the earlier ones is taken for damage.",
    patches: [{
      file: "storage/segment-scan.ts",
      replace: "    if (isZero(bytes, at, Math.min(bytes.length, at + SECTOR_BYTES))) continue;\n    if (!whole",
      by: "    if (isZero(bytes, at, Math.min(bytes.length, at + SECTOR_BYTES))) continue;\n    if (at > offset && isZero(bytes, at - SECTOR_BYTES, at)) throw corrupt(file, at, \"a sector that was written follows one that was not\");\n    if (!whole",
    }],
  },
  {
    name: "snapshot-is-not-synced",
    rule: "20",
    mistake: "A snapshot is not synced before the log is cut.",
    patches: [{ file: "storage/replace-file.ts", replace: "    await file.datasync();\n", by: "    if (check === undefined) await file.datasync();\n" }],
  },
  {
    name: "snapshot-forgets-idempotency-keys",
    rule: "20",
    mistake: "A snapshot leaves out which idempotency keys were used.",
    patches: [
      { file: "state/snapshot.ts", replace: "    for (const entry of this.#idempotency.values()) yield writeIdempotency(writer, scratch, entry);\n", by: "" },
      { file: "state/snapshot.ts", replace: "idempotency: this.#idempotency.size, sessions", by: "idempotency: 0, sessions" },
    ],
  },
  {
    name: "cut-log-forgets-promises",
    rule: "21",
    mistake: "The header of a new segment does not repeat the promise.",
    patches: [{
      file: "storage/log-writer.ts",
      replace: "writeSegmentHeader(writer, { segment, sizeBytes, promised, ownRound,",
      by: "writeSegmentHeader(writer, { segment, sizeBytes, promised: { ...promised, round: 0 }, ownRound: Math.min(ownRound, 0),",
    }],
  },
  {
    name: "installing-drops-what-lies-above",
    rule: "21",
    mistake: "Installing a snapshot forgets what was accepted above it.",
    patches: [{ file: "paxos/replica-log.ts", replace: "    this.#dropThrough(slot);\n    this.#snapshotSlot = slot;\n    this.#chosenThrough = slot;\n    if (this.#last < slot) this.#last = slot;", by: "    this.#dropThrough(Math.max(slot, this.#last) as Slot);\n    this.#cutThrough = slot;\n    this.#snapshotSlot = slot;\n    this.#chosenThrough = slot;\n    this.#last = slot;" },
      {
        file: "paxos/replica-log.ts",
        replace: "      assert(entry !== undefined, () => `slot ${slot} is held when it is marked chosen`);\n      if (!entry.chosen) this",
        by: "      if (entry !== undefined && !entry.chosen) this",
      },
    ],
  },
  {
    name: "cut-before-the-snapshot",
    rule: "20",
    mistake: "The log is cut before the snapshot that replaces it is written.",
    patches: [
      {
        file: "storage/folder-storage.ts",
        replace: "      await snapshots.write(handle, chunks);\n",
        by: "      await segments.cut(handle.slot, log.syncedSegment);\n      await snapshots.write(handle, chunks);\n",
      },
    ],
  },
];
