import { beforeEach, describe, expect, it } from "vitest";
import { WorkQueue } from "../../../src/controller/kube/work-queue.ts";
import { ManualClock } from "../../support/manual-clock.ts";

interface Job {
  readonly key: string;
  readonly end: (againMs?: number | null) => void;
  readonly fail: () => void;
}

describe("the work queue", () => {
  let clock: ManualClock;
  let jobs: Job[];
  let errors: string[];
  let queue: WorkQueue;

  beforeEach(() => {
    clock = new ManualClock();
    [jobs, errors] = [[], []];
    queue = new WorkQueue({
      clock, concurrency: 2, onError: (key) => errors.push(key),
      work: (key) => new Promise((resolve, reject) => {
        jobs.push({ key, end: (againMs = null) => resolve(againMs), fail: () => reject(new Error("failed")) });
      }),
    });
    queue.start();
  });

  const keys = (): string[] => jobs.map(({ key }) => key);
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it("works on a key once however often it is added, and on so many at once as it may", () => {
    for (const key of ["a", "b", "c", "d", "c", "d"]) queue.add(key);
    expect(keys()).toEqual(["a", "b"]);
    expect(queue.depth).toBe(2);
  });

  it("goes on with those that wait", async () => {
    for (const key of ["a", "b", "c"]) queue.add(key);
    jobs[0]?.end();
    await settled();
    expect(keys()).toEqual(["a", "b", "c"]);
  });

  it("works again on a key that was added during its work, and never twice at a time", async () => {
    queue.add("a");
    queue.add("a");
    queue.add("a");
    expect(keys()).toEqual(["a"]);
    jobs[0]?.end();
    await settled();
    expect(keys()).toEqual(["a", "a"]);
    jobs[1]?.end();
    await settled();
    expect(keys()).toEqual(["a", "a"]);
  });

  it("works again after the time that the work asked for, or at once when the key is added before", async () => {
    queue.add("a");
    jobs[0]?.end(5_000);
    await settled();
    clock.advance(4_999);
    expect(keys()).toEqual(["a"]);
    clock.advance(1);
    expect(keys()).toEqual(["a", "a"]);
    jobs[1]?.end(5_000);
    await settled();
    queue.add("a");
    expect(keys()).toEqual(["a", "a", "a"]);
    jobs[2]?.end();
    await settled();
    clock.advance(60_000);
    expect(keys()).toEqual(["a", "a", "a"]);
  });

  it("does work that failed again, later and later, and from the start once it succeeded", async () => {
    queue.add("a");
    const pauses: (number | null)[] = [];
    for (let attempt = 0; attempt < 10; attempt++) {
      jobs[attempt]?.fail();
      await settled();
      pauses.push(clock.nextMs);
      clock.advance(30_000);
    }
    expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    jobs[10]?.end(1_000);
    await settled();
    clock.advance(1_000);
    jobs[11]?.fail();
    await settled();
    expect(clock.nextMs).toBe(250);
  });

  it("waits after a failure also when the key was added meanwhile: the work itself may have caused that", async () => {
    queue.add("a");
    queue.add("a");
    jobs[0]?.fail();
    await settled();
    expect(keys()).toEqual(["a"]);
    expect(errors).toEqual(["a"]);
    clock.advance(250);
    expect(keys()).toEqual(["a", "a"]);
  });

  it("stops when the work under way has ended, and forgets what waits", async () => {
    for (const key of ["a", "b", "c"]) queue.add(key);
    let stopped = false;
    const stopping = queue.stop().then(() => { stopped = true; });
    jobs[0]?.end();
    await settled();
    expect(stopped).toBe(false);
    jobs[1]?.fail();
    await stopping;
    queue.add("d");
    clock.advance(60_000);
    expect(keys()).toEqual(["a", "b"]);
    queue.start();
    queue.add("d");
    expect(keys()).toEqual(["a", "b", "d"]);
  });
});
