import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Members } from "../../src/client/types.ts";
import { ERRORS, type ErrorCode } from "../../src/errors/table.ts";
import { MembershipCalls } from "../../src/local/membership-calls.ts";
import type { Configuration } from "../../src/paxos/configuration.ts";
import { describeSummary, type Summary } from "../history/summary.ts";
import { Program } from "../local/harness.ts";
import { STEPS, type Step, StepWatch } from "./change-steps.ts";
import { PATIENCE_MS, type TestCluster, until, withCluster } from "./cluster.ts";
import { get, put } from "./http.ts";
import { type LoadRun, underLoad } from "./load-run.ts";
import { withNewcomers } from "./newcomer.ts";

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");

/** Asks one running member after the other, and again for as long as what fails may pass. */
function patient(cluster: TestCluster): MembershipCalls {
  let turn = 0;
  return new MembershipCalls(() => {
    const nodes = cluster.reachable();
    return nodes[turn++ % nodes.length]?.url ?? "http://127.0.0.1:1";
  }, { patience: { forMs: PATIENCE_MS } });
}

/** Asks one member, once. */
const at = (url: string): MembershipCalls => new MembershipCalls(() => url);

const votersOf = ({ members }: Members): string[] => members.filter(({ role }) => role === "voter").map(({ name }) => name).sort();

async function followers(cluster: TestCluster): Promise<string[]> {
  const { name } = await cluster.leader();
  return cluster.names.filter((other) => other !== name);
}

/** Members may refuse for a while in the midst of a change, with a code that says so, or not know what became of a write. */
function expectOnlyRetryableCodes({ codes }: Summary): void {
  for (const [told, count] of codes) {
    const [outcome, code = ""] = told.split(" ");
    const kind = ERRORS[code as ErrorCode] as (typeof ERRORS)[ErrorCode] | undefined;
    const fits = outcome === "unknown" ? kind?.outcomeUnknown : kind?.retryable;
    expect(fits, `${count} times ${told}`).toBe(true);
  }
}

function print(title: string, summary: Summary): void {
  process.stdout.write(`${[title, ...describeSummary(summary)].join("\n  ")}\n`);
}

it("a cluster grows from one member to five and shrinks to one again under load, and loses nothing", () => withCluster({ nodes: 1, disk: "real" }, async (cluster) => {
  const leaving = new Set<string>();
  const through = (): string[] => cluster.reachable().filter(({ name }) => !leaving.has(name)).map(({ url }) => url);
  const summary = await underLoad(cluster, { name: "grow and shrink", seed: 1, retries: 3, through }, async (load) => {
    for (let count = 2; count <= 5; count++) {
      const { name } = await cluster.add();
      await cluster.untilServing(name);
      await load.acknowledged(20, cluster.node(name).url);
      expect(votersOf(await patient(cluster).members())).toHaveLength(count);
    }
    for (let count = 4; count >= 1; count--) {
      // Every other time the one that leaves is the leader, which has to hand over first.
      const { name: leader } = await cluster.leader();
      const name = count % 2 === 0 ? leader : (await followers(cluster))[0] ?? "";
      await patient(cluster).remove(name);
      // It is asked on while it runs, and refuses with a code; only then do its clients look elsewhere.
      leaving.add(name);
      await cluster.remove(name);
      await load.acknowledged(20);
      expect(votersOf(await patient(cluster).members())).toEqual([...cluster.names].sort());
    }
    expect(cluster.names).toHaveLength(1);
  });
  print("1 → 5 → 1 members under load", summary);
  expectOnlyRetryableCodes(summary);
}));

/** Makes a change, kills its leader at a step, and sees to it that the others go on, that the killed one comes back and that the change is done. */
async function changeWithKill(cluster: TestCluster, load: LoadRun, step: Step, isTheChange: (configuration: Configuration) => boolean, change: () => Promise<unknown>): Promise<void> {
  await letNodeLead(cluster);
  let done: Promise<unknown> = Promise.resolve();
  const killed = await new StepWatch(cluster, step, isTheChange).killAtStep(() => {
    done = change();
    done.catch(() => {});
  });
  await load.acknowledged(5);
  await cluster.start(killed);
  await Promise.all([done, cluster.untilServing(killed)]);
  expect((await patient(cluster).members()).pending).toBe(false);
}

/** Only nodes of the cluster are watched and killed: where a newcomer was elected, it hands over. */
async function letNodeLead(cluster: TestCluster): Promise<void> {
  const [first = ""] = cluster.names;
  await until("a node of the cluster leads", async () => {
    const leader = (await patient(cluster).members()).members.find((member) => member.leader)?.name ?? "nobody";
    if (cluster.names.includes(leader)) return null;
    await patient(cluster).transferLeadership(first).catch(() => {});
    return leader;
  });
}

const knows = (members: Configuration["voters"], { name }: { readonly name: string }): boolean => members.some((member) => member.name === name);

it("a change whose leader is killed at any step of it, asked for again, is done once, and nothing is lost", () =>
  withCluster({ nodes: 3, disk: "volatile" }, async (cluster) => {
    const calls = patient(cluster);
    const through = (): string[] => cluster.reachable().map(({ url }) => url);
    for (const [number, step] of STEPS.entries()) {
      await withNewcomers(cluster, [`x${number}`, `y${number}`], async (first, second) => {
        const title = `leader killed at ${step} of an addition, a promotion, a replacement and a removal`;
        const summary = await underLoad(cluster, { name: title, seed: number, retries: 3, through }, async (load) => {
          const withKill = (isTheChange: (configuration: Configuration) => boolean, change: () => Promise<unknown>): Promise<void> =>
            changeWithKill(cluster, load, step, isTheChange, change);
          await withKill(({ learners }) => knows(learners, first), () => calls.add(first.address));
          const [learner, waiting] = [await calls.add(first.address), await calls.add(second.address)];
          await withKill(({ voters }) => knows(voters, first), () => calls.promoteWhenCaughtUp(learner, { waitMs: PATIENCE_MS }));
          await withKill(({ voters }) => knows(voters, second), () => calls.promoteWhenCaughtUp(waiting, { waitMs: PATIENCE_MS, replaces: learner.id }));
          await second.untilServing();
          await withKill(({ voters }) => !knows(voters, second), () => calls.remove(waiting.id));
          const { members, removed } = await calls.members();
          expect([members.length, removed.slice(-2)]).toEqual([3, [learner.id, waiting.id]]);
        });
        print(title, summary);
      });
    }
  }));

const VOTERS = ["n1", "n2", "n3"];

describe("three members", () => {
  it("refuse changes that cannot be, or not now, and say why; force goes on where only too few are alive", () =>
    withCluster({ nodes: 3, disk: "real" }, (cluster) => withNewcomers(cluster, ["x1"], async (newcomer) => {
      const { name: leader, url } = await cluster.leader();
      const [one = "", other = ""] = VOTERS.filter((name) => name !== leader);
      const calls = at(url);
      const before = await calls.members();
      await expect(calls.remove("f".repeat(32))).rejects.toMatchObject({ code: "SYNOD_ERR_NO_SUCH_MEMBER" });
      await expect(calls.promote("nobody")).rejects.toMatchObject({ code: "SYNOD_ERR_NO_SUCH_MEMBER" });
      await expect(calls.add("127.0.0.1:1")).rejects.toMatchObject({ code: "SYNOD_ERR_UNREACHABLE" });

      const learner = await calls.add(newcomer.address);
      const { configuration } = before;
      const idOf = (name: string): string => before.members.find((member) => member.name === name)?.id ?? "";
      await expect(calls.remove(one, { configuration })).rejects.toMatchObject({ code: "SYNOD_ERR_STALE_CONFIGURATION" });
      expect((await calls.add(newcomer.address, { configuration })).id).toBe(learner.id);
      await newcomer.untilServing();
      await expect(calls.transferLeadership(learner.id)).rejects.toMatchObject({ code: "SYNOD_ERR_NO_SUCH_MEMBER" });

      newcomer.pause();
      await until("the paused learner is missed", async () => ((await calls.members()).members.find(({ id }) => id === learner.id)?.caughtUp === false ? null : "it is not"));
      await expect(calls.promote(learner.id)).rejects.toMatchObject({ code: "SYNOD_ERR_LEARNER_LAGS" });
      newcomer.resume();
      await calls.promoteWhenCaughtUp(learner, { waitMs: PATIENCE_MS });
      await calls.remove(learner.id);
      await expect(calls.add(newcomer.address)).rejects.toMatchObject({ code: "SYNOD_ERR_MEMBER_REMOVED" });

      await cluster.kill(other);
      await until(`${other} is missed`, async () => ((await calls.members()).members.find(({ name }) => name === other)?.caughtUp === false ? null : "it is not"));
      await expect(calls.remove(one)).rejects.toMatchObject({ code: "SYNOD_ERR_NO_LIVE_QUORUM" });
      const forced = patient(cluster).remove(idOf(one), { force: true });
      forced.catch(() => {});
      await until("the forced change is made, and not done", async () => ((await calls.members()).pending === false ? "no" : null));
      await cluster.start(other);
      expect(votersOf(await forced)).toEqual([leader, other].sort());
      expect(await put(url, "k", "v")).toMatchObject({ status: 200 });
    })));

  it("make one change at a time", () => withCluster({ nodes: 3, disk: "real", electionTimeoutMs: 5_000 }, (cluster) => withNewcomers(cluster, ["x1", "x2"], async (x1, x2) => {
    const { name: leader, url } = await cluster.leader();
    const frozen = VOTERS.filter((name) => name !== leader);
    // Nothing is chosen until they go on.
    await Promise.all(frozen.map((name) => cluster.pause(name)));
    const first = patient(cluster).add(x1.address);
    first.catch(() => {});
    await until("the first change is proposed", async () => ((await at(url).members()).pending === true ? null : "it is not"));
    await expect(at(url).add(x2.address)).rejects.toMatchObject({ code: "SYNOD_ERR_CHANGE_PENDING" });
    await Promise.all(frozen.map((name) => cluster.resume(name)));
    await first;
    expect((await patient(cluster).add(x2.address)).role).toBe("learner");
    const { members } = await at(cluster.node(frozen[0] ?? "").url).transferLeadership(frozen[1] ?? "");
    expect(members.filter(({ leader }) => leader).map(({ name }) => name)).toEqual([frozen[1]]);
  })));

  it("go on with a new member in the place of one that lost its folder, by one command", () => withCluster({ nodes: 3, disk: "real" }, async (cluster) => {
    const { name: leader, url } = await cluster.leader();
    const [lost = "", other = ""] = VOTERS.filter((name) => name !== leader);
    await put(url, "k", "v");
    await cluster.kill(lost);
    await rm(cluster.dataFolder(lost), { recursive: true });
    await cluster.start(lost);
    const address = new URL(cluster.node(lost).url).host;
    const replace = new Program([process.execPath, MAIN, "member", "replace", lost, address, "--endpoint", url]);
    expect([await replace.ended, replace.output]).toEqual([0, expect.stringContaining(`${lost} learns`)]);
    await cluster.untilServing(lost);
    expect(votersOf(await at(url).members())).toEqual(VOTERS);
    // It counts: with it, one more may be away.
    await cluster.kill(other);
    expect(await put(cluster.node(lost).url, "k", "w")).toMatchObject({ status: 200 });
    expect(await get(url, "k")).toMatchObject({ body: "w" });
    const again = new Program([process.execPath, MAIN, "member", "replace", lost, address, "--endpoint", url]);
    expect([await again.ended, again.output]).toEqual([1, expect.stringMatching(/SYNOD_ERR_BAD_REQUEST: .* is the voter .* itself/)]);
  }));
});

it("a removed member that comes back learns it, serves nothing, and disturbs nobody", () => withCluster({ nodes: 3, disk: "real" }, (cluster) =>
  withNewcomers(cluster, ["present", "away"], async (present, away) => {
    const calls = patient(cluster);
    for (const newcomer of [present, away]) {
      await calls.promoteWhenCaughtUp(await calls.add(newcomer.address), { waitMs: PATIENCE_MS });
    }
    const { name: leader } = await cluster.leader();
    const [asked = ""] = VOTERS.filter((name) => name !== leader);
    // One of them hears of its removal, the other does not.
    await away.kill();
    for (const newcomer of [away, present]) await calls.remove(newcomer.name);
    await present.untilRole("removed");
    await present.kill();
    const { leader: leads, ballot } = await cluster.status(asked);
    await underLoad(cluster, { name: "removed members come back", seed: 1 }, async (load) => {
      for (const newcomer of [present, away]) {
        await newcomer.start();
        await newcomer.untilRole("removed");
        expect(await put(newcomer.url, "k", "v")).toMatchObject({ status: 503, code: "SYNOD_ERR_LEFT" });
        expect(await get(newcomer.url, "k")).toMatchObject({ status: 503, code: "SYNOD_ERR_LEFT" });
        expect(await get(newcomer.url, "k?consistency=local")).toMatchObject({ status: 503, code: "SYNOD_ERR_LEFT" });
        await expect(at(newcomer.url).members()).rejects.toMatchObject({ code: "SYNOD_ERR_LEFT" });
        await load.acknowledged(300);
      }
    });
    for (const newcomer of [present, away]) expect((await newcomer.status()).role).toBe("removed");
    // Nobody campaigned: a ballot of theirs would have been promised.
    expect(await cluster.status(asked)).toMatchObject({ leader: leads, ballot });
  })));
