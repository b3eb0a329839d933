import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { fingerprint } from "../../src/auth/key.ts";
import type { Status } from "../../src/client/types.ts";
import { findPorts } from "../../src/local/ports.ts";
import { key, keyText } from "../auth/keys.ts";
import { Program, Scratch } from "../local/harness.ts";
import { until } from "./cluster.ts";
import { call, get, put } from "./http.ts";

const SYNOD = join(import.meta.dirname, "../../src/cli/main.ts");
const scratch = new Scratch();

afterAll(() => scratch.clean());

/** Runs the command line; resolves with its exit code and output when it has ended. */
async function synod(...args: readonly string[]): Promise<{ code: number | NodeJS.Signals; output: string }> {
  const program = new Program([process.execPath, SYNOD, ...args]);
  return { code: await program.ended, output: program.output };
}

/** One member as the command line starts it. */
class Process {
  readonly name: string;
  readonly url: string;
  readonly keyFolder: string;
  readonly #command: readonly string[];
  program: Program | null = null;

  constructor(folder: string, name: string, port: number, flags: readonly string[] = []) {
    this.name = name;
    this.url = `http://127.0.0.1:${port}`;
    this.keyFolder = join(folder, `${name}-key`);
    this.#command = [
      process.execPath, SYNOD, "node", "--name", name, "--data", join(folder, name), "--listen", `127.0.0.1:${port}`, "--key-folder", this.keyFolder, ...flags,
    ];
    scratch.onClean(() => this.end("SIGKILL"));
  }

  async start(): Promise<void> {
    this.program = new Program(this.#command);
    await this.program.says(/"synod":"listening"/);
  }

  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    this.program?.child.kill(signal);
    return (await this.program?.ended) ?? null;
  }

  async keys(texts: { readonly current: string; readonly previous?: string }): Promise<void> {
    await mkdir(this.keyFolder, { recursive: true });
    for (const [name, text] of Object.entries(texts)) await writeFile(join(this.keyFolder, name), text);
  }

  async status(): Promise<Status> {
    return JSON.parse((await call(`${this.url}/v1/status`)).body) as Status;
  }
}

async function processes(names: readonly string[], flags: readonly string[] = []): Promise<{ folder: string; all: Process[] }> {
  const folder = scratch.folder();
  const ports = await findPorts("127.0.0.1", names.map(() => null));
  const all = names.map((name, index) => new Process(folder, name, ports[index] as number, flags));
  for (const one of all) await one.keys({ current: keyText(1) });
  await Promise.all(all.map((one) => one.start()));
  return { folder, all };
}

const ready = (one: Process): Promise<void> => until(`${one.name} is ready`, async () => {
  const { status, body } = await call(`${one.url}/readyz`);
  return status === 200 ? null : body;
});

it("a cluster with a key is founded, grown, led and given a new key only with it, and serves all the while", async () => {
  const { folder, all } = await processes(["m1", "m2", "m3", "m4"], ["--heartbeat-ms", "100", "--election-timeout-ms", "600"]);
  const [m1, m2, m3, m4] = all as [Process, Process, Process, Process];
  const voters = all.slice(0, 3);
  const founding = ["found", ...voters.map(({ url }) => url), "--record", join(folder, "record.json"), "--timeout", "20000"];
  expect(await synod(...founding)).toMatchObject({ code: 1, output: expect.stringContaining("SYNOD_ERR_UNAUTHORIZED") });
  expect(await synod(...founding, "--key-folder", m1.keyFolder)).toMatchObject({ code: 0 });
  await Promise.all(voters.map(ready));
  expect(await put(m1.url, "k", "before")).toMatchObject({ status: 200 });

  const add = ["member", "add", new URL(m4.url).host, "--endpoint", m1.url];
  expect(await synod(...add)).toMatchObject({ code: 1, output: expect.stringContaining("SYNOD_ERR_UNAUTHORIZED") });
  expect(await synod(...add, "--key-file", join(m1.keyFolder, "current"))).toMatchObject({ code: 0 });
  await ready(m4);

  const load = { on: true, written: 0 };
  const loaded = (async (): Promise<void> => {
    for (; load.on; load.written += 1) {
      expect(await put([m1, m3, m4][load.written % 3]?.url ?? "", "k", String(load.written))).toMatchObject({ status: 200 });
    }
  })();
  const names = [fingerprint(key(2)), fingerprint(key(1))];
  const accepting = (wanted: readonly string[]) => async (one: Process): Promise<void> => {
    await until(`${one.name} accepts ${wanted.join(" ")}`, async () => {
      const { keys } = await one.status();
      return wanted.every((name) => keys.includes(name)) ? null : keys.join(" ");
    });
  };
  // One member after the other gets the new key, as kubelets hand out a Secret. One that has only the old one yet is started anew meanwhile.
  for (const one of all) {
    await one.keys({ current: keyText(2), previous: keyText(1) });
    await accepting(names)(one);
    if (one !== m1) continue;
    await m2.end("SIGTERM");
    await m2.start();
    await ready(m2);
    expect((await m2.status()).keys).toEqual([names[1]]);
  }
  for (const one of all) await rm(join(one.keyFolder, "previous"));
  load.on = false;
  await loaded;
  expect(load.written).toBeGreaterThan(20);
  for (const one of all) {
    const { peers } = await one.status();
    expect(peers.map(({ link, refused }) => ({ link, refused }))).toEqual(peers.map(() => ({ link: "up", refused: null })));
  }

  // A member that starts anew with the new key alone finds the others; one that has lost the key does not.
  await m3.end("SIGTERM");
  await m3.start();
  await ready(m3);
  expect((await m3.status()).keys).toEqual([names[0]]);
  await m3.end("SIGTERM");
  await m3.keys({ current: keyText(9) });
  await m3.start();
  await until("m3 is refused", async () => {
    const peers = (await m3.status()).peers.map(({ link, refused }) => `${link} ${refused}`);
    return peers.every((peer) => /^(down|dialing) .*key/.test(peer)) ? null : peers.join(", ");
  });
  expect((await get(m1.url, "k")).body).toContain(String(load.written - 1));
});

it("a member that was removed is renewed, by those who hold the key, and is started as a new one", async () => {
  const { folder, all } = await processes(["m1", "m2"]);
  const [m1, m2] = all as [Process, Process];
  const keyFlags = ["--key-folder", m1.keyFolder];
  expect(await synod("found", m1.url, m2.url, "--record", join(folder, "record.json"), ...keyFlags)).toMatchObject({ code: 0 });
  await Promise.all(all.map(ready));
  const { incarnation } = await m2.status();
  const renew = ["member", "renew", incarnation, "--endpoint", m2.url];
  expect(await synod(...renew)).toMatchObject({ code: 1, output: expect.stringContaining("SYNOD_ERR_UNAUTHORIZED") });
  expect(await synod(...renew, ...keyFlags)).toMatchObject({ code: 1, output: expect.stringContaining("SYNOD_ERR_MEMBER_NEEDED") });
  expect(await synod("member", "remove", incarnation, "--endpoint", m1.url, ...keyFlags)).toMatchObject({ code: 0 });
  await until("m2 knows that it was removed", async () => {
    const { role } = await m2.status();
    return role === "removed" ? null : role;
  });
  expect(await synod(...renew, ...keyFlags)).toMatchObject({ code: 0 });
  expect(await m2.program?.ended).toBe(75);
  await m2.start();
  const born = await m2.status();
  expect(born).toMatchObject({ cluster: null, configuration: { voters: [] } });
  expect(born.incarnation).not.toBe(incarnation);
  expect(await synod("member", "add", new URL(m2.url).host, "--endpoint", m1.url, ...keyFlags)).toMatchObject({ code: 0 });
  await ready(m2);
});

it("a second process waits for the data folder of the first, and gives up when it is told to", async () => {
  const { folder, all: [m1] } = await processes(["m1"]);
  const twin = (...flags: readonly string[]): Program => new Program([
    process.execPath, SYNOD, "node", "--name", "m1", "--data", join(folder, "m1"), "--listen", "127.0.0.1:0", ...flags,
  ]);
  const hasty = twin();
  expect(await hasty.ended).toBe(1);
  expect(hasty.output).toContain("SYNOD_ERR_FOLDER_LOCKED");

  const impatient = twin("--wait-for-folder", "1");
  await impatient.says(/waiting for it to end/);
  expect(await impatient.ended).toBe(1);
  expect(impatient.output).toContain("SYNOD_ERR_FOLDER_LOCKED");

  const stopped = twin("--wait-for-folder", "120");
  await stopped.says(/waiting for it to end/);
  stopped.child.kill("SIGTERM");
  expect(await stopped.ended).toBe(0);

  const patient = twin("--wait-for-folder", "120");
  scratch.onClean(async () => { patient.child.kill("SIGKILL"); await patient.ended; });
  await patient.says(/waiting for it to end/);
  const { incarnation } = await (m1 as Process).status();
  await m1?.end("SIGKILL");
  await patient.says(/"synod":"listening"/);
  const url = /"url":"(http:[^"]+)"/.exec(patient.output)?.[1] ?? "";
  expect(JSON.parse((await call(`${url}/v1/status`)).body)).toMatchObject({ incarnation });
});
