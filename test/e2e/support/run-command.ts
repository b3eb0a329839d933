import { spawn } from "node:child_process";

export interface RunOptions {
  /** Standard input; none by default. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default 60 s. Then the program is killed. */
  readonly timeoutMs?: number;
}

/** A program that did not end with 0: what it was, and what it said. */
export class CommandError extends Error {
  override name = "CommandError";
  readonly stdout: string;
  readonly stderr: string;

  constructor(command: readonly string[], end: string, stdout: string, stderr: string) {
    super(`${command.join(" ")}: ${end}\n${stderr.trim()}\n${stdout.trim()}`.trim());
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

/** Runs a program to its end and resolves with its standard output. Rejects with `CommandError` when it fails or takes too long. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input, env = {}, timeoutMs = 60_000 } = options;
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A program that ends without reading its input says why by its exit code.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      const text = Buffer.concat(stdout).toString("utf8");
      if (code === 0) return resolve(text);
      const end = late ? `not done after ${timeoutMs} ms` : `ended with ${code ?? signal}`;
      reject(new CommandError([program, ...args], end, text, Buffer.concat(stderr).toString("utf8")));
    });
  });
}
