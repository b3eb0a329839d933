import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { keyName } from "../load/payload.ts";
import { KEY_SPACE, type Row, VALUE_BYTES } from "../rows.ts";
import { base64, call } from "./etcd-http.ts";
import type { Measurement } from "./system.ts";

const run = promisify(execFile);

/** Whether both programs are on PATH. */
export async function findEtcd(): Promise<boolean> {
  try {
    await Promise.all([run("etcd", ["--version"]), run("benchmark", ["--help"])]);
    return true;
  } catch {
    return false;
  }
}

/** One run of etcd's own load generator. */
export async function runEtcdBenchmark(row: Row, ops: number, urls: readonly string[]): Promise<Omit<Measurement, "syncsPerSecond">> {
  const common = [
    "--endpoints", urls.join(","), "--conns", String(row.connections), "--clients", String(row.clients), "--precise",
    ...(row.target === "leader" ? ["--target-leader"] : []),
  ];
  const total = ["--total", String(ops)];
  const work = row.op === "put"
    ? ["put", ...total, "--val-size", String(VALUE_BYTES), "--key-size", "8", "--key-space-size", String(KEY_SPACE)]
    : ["range", await readKey(urls), ...total, "--consistency", "l"];
  const { stdout } = await run("benchmark", [...work, ...common], { maxBuffer: 16 * 1024 * 1024 });
  return parse(stdout);
}

let writtenFor: string | null = null;

/** The key that is read, with a value of the usual size. */
async function readKey(urls: readonly string[]): Promise<string> {
  const [url = ""] = urls;
  if (writtenFor !== url) await call(url, "/v3/kv/put", { key: base64(keyName(0)), value: base64("v".repeat(VALUE_BYTES)) });
  writtenFor = url;
  return keyName(0);
}

function parse(output: string): Omit<Measurement, "syncsPerSecond"> {
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? NaN);
  const failures = [...output.matchAll(/^\s+\[(\d+)\]\s/gm)].reduce((sum, match) => sum + Number(match[1]), 0);
  const measured = {
    opsPerSecond: number(/Requests\/sec:\s+([\d.e+-]+)/),
    p50Ms: number(/50% in ([\d.e+-]+) secs/) * 1_000,
    p99Ms: number(/99% in ([\d.e+-]+) secs/) * 1_000,
    failures,
  };
  if (Number.isNaN(measured.opsPerSecond)) throw new Error(`etcd's benchmark printed no result:\n${output}`);
  return measured;
}
