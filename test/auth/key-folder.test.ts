import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { fingerprint, type Key } from "../../src/auth/key.ts";
import { readCallKeys, readKeyFolder, watchKeys } from "../../src/auth/key-folder.ts";
import { KeyRing } from "../../src/auth/key-ring.ts";
import { key, keyText } from "./keys.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "synod-keys-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
});

const put = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);

describe("a key folder", () => {
  it("has a current key, and a previous one while they are exchanged", async () => {
    await put("current", keyText(1));
    expect(await readKeyFolder(folder)).toEqual([key(1)]);
    await put("previous", `${keyText(2)}\n`);
    expect(await readKeyFolder(folder)).toEqual([key(1), key(2)]);
  });

  it.each([
    ["no current key", {}, /has no file "current"/],
    ["no key but the previous", { previous: keyText(1) }, /has no file "current"/],
    ["an empty file", { current: "" }, /is not a key/],
    ["half a key", { current: keyText(1).slice(1) }, /is not a key/],
    ["a previous key that is none", { current: keyText(1), previous: "x" }, /previous is not a key/],
  ])("with %s is refused with a code", async (_, files, message) => {
    for (const [name, text] of Object.entries(files)) await put(name, text);
    await expect(readKeyFolder(folder)).rejects.toMatchObject({ code: "SYNOD_ERR_BAD_REQUEST", message: expect.stringMatching(message) });
  });

  it("is read through the links that a mounted Secret is made of", async () => {
    const secret = async (name: string, text: string): Promise<void> => {
      const { mkdir } = await import("node:fs/promises");
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, "current"), text);
      await symlink(name, join(folder, "..data.new"));
      await rename(join(folder, "..data.new"), join(folder, "..data"));
    };
    await secret("..1", keyText(1));
    await symlink("..data/current", join(folder, "current"));
    expect(await readKeyFolder(folder)).toEqual([key(1)]);
    await secret("..2", keyText(2));
    expect(await readKeyFolder(folder)).toEqual([key(2)]);
  });

  it("or one file gives the keys of a call, and not both", async () => {
    await put("current", keyText(1));
    expect((await readCallKeys({ keyFolder: folder }))?.fingerprints).toEqual([fingerprint(key(1))]);
    expect((await readCallKeys({ keyFile: join(folder, "current") }))?.fingerprints).toEqual([fingerprint(key(1))]);
    expect(await readCallKeys({})).toBeNull();
    await expect(readCallKeys({ keyFile: join(folder, "nothing") })).rejects.toMatchObject({ code: "SYNOD_ERR_BAD_REQUEST" });
    await expect(readCallKeys({ keyFolder: folder, keyFile: "f" })).rejects.toMatchObject({ code: "SYNOD_ERR_BAD_REQUEST" });
  });
});

/** A folder whose readings the test answers, and a clock that it turns. */
class Watched {
  readonly ring = new KeyRing([key(1)]);
  readonly log: string[] = [];
  readings = 0;
  #answer = Promise.withResolvers<readonly Key[]>();
  #task = (): void => {};
  readonly stop = watchKeys(this.ring, {
    read: () => {
      this.readings += 1;
      return this.#answer.promise;
    },
    every: (periodMs, task) => {
      expect(periodMs).toBe(1_000);
      this.#task = task;
      return () => this.log.push("stopped");
    },
    changed: (names) => this.log.push(`changed ${names.join(" ")}`),
    failed: (error) => this.log.push(`failed ${String(error)}`),
  });

  second(): void {
    this.#task();
  }

  async answer(keys: readonly Key[] | Error): Promise<void> {
    const answered = this.#answer;
    this.#answer = Promise.withResolvers();
    if (keys instanceof Error) answered.reject(keys);
    else answered.resolve(keys);
    await answered.promise.catch(() => {});
    // The watch goes on in turns of its own behind this one.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("watching a key folder", () => {
  it("takes a new key, and says so once", async () => {
    const watched = new Watched();
    for (const keys of [[key(1)], [key(2)], [key(2)]]) {
      watched.second();
      await watched.answer(keys);
    }
    expect(watched.log).toEqual([`changed ${fingerprint(key(2))} ${fingerprint(key(1))}`]);
  });

  it("keeps its keys when the folder cannot be read, and says so once", async () => {
    const watched = new Watched();
    for (let reading = 0; reading < 3; reading++) {
      watched.second();
      await watched.answer(new Error("gone"));
    }
    expect(watched.log).toEqual(["failed Error: gone"]);
    expect(watched.ring.fingerprints).toEqual([fingerprint(key(1))]);
    watched.second();
    await watched.answer([key(2)]);
    expect(watched.ring.fingerprints[0]).toBe(fingerprint(key(2)));
  });

  it("reads one at a time, however slow the folder is, and ends", async () => {
    const watched = new Watched();
    watched.second();
    watched.second();
    expect(watched.readings).toBe(1);
    await watched.answer([key(1)]);
    watched.second();
    expect(watched.readings).toBe(2);
    watched.stop();
    expect(watched.log).toEqual(["stopped"]);
  });
});
