// `synod dev` with stand-in nodes, as a process of its own, for tests that end it from outside. Arguments: folder, number of nodes.
import { SynodError } from "../../src/errors/synod-error.ts";
import { runDevSession } from "../../src/local/dev-session.ts";
import { fakeEntry } from "./harness.ts";

const [folder = "", nodes = "3"] = process.argv.slice(2);
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
try {
  await runDevSession({
    folder, nodes: Number(nodes), entry: fakeEntry, env: { FAKE_LEADER: "n1" }, terminal: process.stdout, stop: stop.signal,
  });
} catch (error) {
  process.stderr.write(error instanceof SynodError ? `${error.code}: ${error.message}\n` : String(error));
  process.exitCode = 1;
}
