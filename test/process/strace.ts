import { spawnSync } from "node:child_process";

/** A call that a process made, with the bytes it wrote if it wrote any. Lines of the trace are in the order in which things happened. */
export interface SystemCall {
  readonly name: string;
  /** The path of the file, or the connection, as strace decodes the descriptor. */
  readonly target: string;
  readonly bytes: Uint8Array;
  /** Where in the file; null for calls that know no place. */
  readonly offset: number | null;
  /** What it returned: bytes written, or 0 of a sync; negative when it failed. */
  readonly result: number;
  /** Lines of the trace at which it began and had returned. */
  readonly began: number;
  readonly returned: number;
  /** Seconds since 1970 of the same moments, on the machine's clock, which all traced processes share. */
  readonly beganAt: number;
  readonly returnedAt: number;
}

const CALLS = "write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg,fsync,fdatasync";

/**
 * A program and arguments that run the command after them under strace, as a child of its own parent: the tracer stands aside (-D). Each process's
 * trace goes to `<pid>.trace` in the folder named by SYNOD_TEST_FOLDER.
 */
export const STRACE_WRAPPER = [
  "sh", "-c",
  `exec strace -D -f --seccomp-bpf -ttt -T -yy -xx -s 4194304 -e signal=none -e trace=${CALLS} -o "$SYNOD_TEST_FOLDER/$$.trace" -- "$@"`,
  "sh",
];

/** Why system calls cannot be traced on this machine; null when they can. */
export function whyNoStrace(): string | null {
  const attempt = ["-D", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fdatasync", "--", "true"];
  const { error, status, stderr } = spawnSync("strace", attempt, { encoding: "utf8" });
  if (error !== undefined) return `strace cannot be run: ${error.message}`;
  return status === 0 ? null : `strace may not trace here: ${stderr.trim().split("\n").at(-1)}`;
}

/** The traced process and all its threads have ended, and their trace is complete. */
export function isComplete(trace: string, pid: number): boolean {
  return new RegExp(`^${pid} +[0-9.]+ \\+\\+\\+ (exited|killed) `, "m").test(trace);
}

const LINE = /^(\d+) +(\d+\.\d+) (.*)$/;
const BEGIN = /^(\w+)\((\d+)<(.*?)>(?=[,)])/;
const END = /\) += (-?\d+|\?).*?(?:<(\d+\.\d+)>)?$/;

interface Unfinished {
  readonly line: number;
  readonly at: number;
  readonly text: string;
}

/** Reads the calls of one process's trace, in the order in which they began. Calls that never returned are left out. */
export function parseTrace(trace: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const unfinished = new Map<string, Unfinished>();
  trace.split("\n").forEach((text, line) => {
    const [, thread = "", time = "", rest = ""] = LINE.exec(text) ?? [];
    if (rest.endsWith("<unfinished ...>")) {
      unfinished.set(thread, { line, at: Number(time), text: rest.slice(0, -" <unfinished ...>".length) });
      return;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest);
    const begun = resumed === null ? { line, at: Number(time), text: "" } : unfinished.get(thread);
    if (begun === undefined) return;
    const whole = begun.text + (resumed === null ? rest : rest.slice(resumed[0].length));
    const call = parseCall(whole, begun, line, resumed === null ? null : Number(time));
    if (call !== null) calls.push(call);
  });
  return calls.sort((a, b) => a.began - b.began);
}

function parseCall(text: string, begun: Unfinished, line: number, resumedAt: number | null): SystemCall | null {
  const begin = BEGIN.exec(text);
  const end = END.exec(text);
  if (begin === null || end === null) return null;
  const [, name = "", , target = ""] = begin;
  const result = Number(end[1]);
  if (!Number.isInteger(result)) return null;
  const bytes = writtenBytes(name, text, result);
  return {
    name, target: target.startsWith("\\x") ? unescape(target).toString("utf8") : target, bytes, result,
    offset: name.startsWith("pwrite") ? Number(/, (\d+)\) +=/.exec(text)?.[1]) : null,
    began: begun.line, returned: line, beganAt: begun.at, returnedAt: resumedAt ?? begun.at + Number(end[2] ?? 0),
  };
}

/** The bytes that went out: of several buffers one behind the other, and only as many as the call took. */
function writtenBytes(name: string, text: string, result: number): Uint8Array {
  if (name.endsWith("sync") || result <= 0) return new Uint8Array(0);
  const buffers = /^(write|pwrite64|sendto)$/.test(name) ? /, "([^"]*)"/g : /iov_base="([^"]*)"/g;
  const all = Buffer.concat([...text.matchAll(buffers)].map((match) => unescape(match[1] ?? "")));
  return all.subarray(0, result);
}

function unescape(hex: string): Buffer {
  return Buffer.from(hex.replaceAll("\\x", ""), "hex");
}
