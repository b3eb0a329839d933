#!/usr/bin/env node
// Starts the command line with a Node that is new enough. This file itself must run on old ones (12 and up): no build, no
// dependencies, no new syntax.
import { spawn, spawnSync } from "child_process";
import { existsSync } from "fs";
import { createRequire } from "module";
import { dirname, join, sep } from "path";
import { fileURLToPath, pathToFileURL } from "url";

const OLDEST_MAJOR = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The sources in a clone; the compiled files in a published package, where Node does not strip types. */
function findMain() {
  const source = join(root, "src", "cli", "main.ts");
  const installed = root.split(sep).includes("node_modules");
  return !installed && existsSync(source) ? source : join(root, "dist", "cli", "main.js");
}

function majorOf(version) {
  return Number(String(version).replace(/^v/, "").split(".")[0]);
}

/** Where the npm packages `node` and `node-<platform>-<cpu>` put their binary, as seen from this package. */
function packagedNodes() {
  const require = createRequire(import.meta.url);
  const platform = process.platform === "win32" ? "win" : process.platform;
  const binary = process.platform === "win32" ? "node.exe" : "node";
  const names = ["node", "node-" + platform + "-" + process.arch, "node-bin-" + platform + "-" + process.arch];
  const found = [];
  for (const name of names) {
    try {
      found.push(join(dirname(require.resolve(name + "/package.json")), "bin", binary));
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return found;
}

function findNode() {
  for (const path of packagedNodes()) {
    if (!existsSync(path)) continue;
    const answer = spawnSync(path, ["--version"], { encoding: "utf8" });
    if (answer.status === 0 && majorOf(answer.stdout) >= OLDEST_MAJOR) return path;
  }
  return null;
}

/** Runs the command in a child as if it were this process: same terminal, signals and exit code; it ends when this one does. */
function runWith(node, main) {
  const child = spawn(node, [main].concat(process.argv.slice(2)), {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: Object.assign({}, process.env, { SYNOD_ENDS_WITH_LAUNCHER: "1" }),
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  child.on("error", (error) => fail("cannot start " + node + ": " + error.message));
  child.on("exit", (code, signal) => {
    for (const name of signals) process.removeListener(name, forward);
    if (signal) process.kill(process.pid, signal);
    else process.exit(code);
  });
}

function fail(message) {
  process.stderr.write("SYNOD_ERR_NODE_VERSION: " + message + "\n");
  process.exit(1);
}

const main = findMain();
if (majorOf(process.version) >= OLDEST_MAJOR) {
  import(pathToFileURL(main).href);
} else {
  const node = findNode();
  if (node) runWith(node, main);
  else
    fail(
      "synod needs Node " + OLDEST_MAJOR + " or newer. This is " + process.version + ", and the `node` package next to synod has none either. " +
        "In a clone, `npm install` brings one (its install script must be allowed); otherwise install a newer Node.",
    );
}
