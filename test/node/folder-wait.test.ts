import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { openWhenFree } from "../../src/node/folder-wait.ts";

const locked = new SynodError("SYNOD_ERR_FOLDER_LOCKED");

/** Opens a folder that is free after so many milliseconds of a clock that only waiting turns. */
function opening(freeAfterMs: number, forMs: number, abort?: { readonly atMs: number }) {
  let nowMs = 1_000;
  let attempts = 0;
  const told: number[] = [];
  const aborter = new AbortController();
  const open = async (): Promise<string> => {
    attempts += 1;
    if (nowMs - 1_000 < freeAfterMs) throw locked;
    return "open";
  };
  const done = openWhenFree(open, {
    forMs, nowMs: () => nowMs, signal: aborter.signal, waiting: (waitedMs) => void told.push(waitedMs),
    pause: async (ms) => {
      nowMs += ms;
      if (abort !== undefined && nowMs - 1_000 >= abort.atMs) aborter.abort();
    },
  });
  return { done, told, attempts: () => attempts };
}

describe("a data folder that another process holds", () => {
  it("is opened once it is free, and somebody is told about the waiting now and then", async () => {
    const { done, told } = opening(25_000, 120_000);
    await expect(done).resolves.toBe("open");
    expect(told).toEqual([0, 10_000, 20_000]);
  });

  it("is not waited for longer than was said", async () => {
    const { done } = opening(Infinity, 3_000);
    await expect(done).rejects.toBe(locked);
    const { done: never, attempts, told } = opening(Infinity, 0);
    await expect(never).rejects.toBe(locked);
    expect([attempts(), told]).toEqual([1, []]);
  });

  it("is waited for no more when the process is to end", async () => {
    await expect(opening(Infinity, 120_000, { atMs: 1_000 }).done).rejects.toMatchObject({ code: "SYNOD_ERR_STOPPING" });
  });

  it("is the only thing that is waited for", async () => {
    const failure = new SynodError("SYNOD_ERR_DISK");
    let attempts = 0;
    const open = async (): Promise<never> => {
      attempts += 1;
      throw failure;
    };
    await expect(openWhenFree(open, { forMs: 9_000, nowMs: () => 0, pause: async () => {}, waiting: () => {} })).rejects.toBe(failure);
    expect(attempts).toBe(1);
  });
});
