import { type ChildProcess, spawn } from "node:child_process";
import { SynodError } from "../errors/synod-error.ts";
import { LogFile } from "./log-file.ts";
import { parseListeningLine } from "./node-process.ts";

export type NodeState = "running" | "stopped" | "killed" | "paused" | "crashed";

export interface ChildCommand {
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** How long the process may take until it listens, in milliseconds. */
  readonly readyTimeoutMs: number;
}

/** The process of one node, through all its lives: how it was ended decides what state it is in. */
export class ChildNode {
  readonly name: string;
  readonly #log: LogFile;
  readonly #onChange: () => void;
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();
  #state: NodeState = "stopped";
  #listening = false;
  /** What the state will be when the process ends. */
  #endsAs: NodeState = "crashed";

  constructor(name: string, logPath: string, onChange: () => void) {
    this.name = name;
    this.#log = new LogFile(logPath);
    this.#onChange = onChange;
  }

  get state(): NodeState { return this.#state; }
  get pid(): number | null { return this.#child?.pid ?? null; }
  /** Whether this life has said that it listens. */
  get listening(): boolean { return this.#listening; }
  get alive(): boolean { return this.#child !== null; }
  /** Resolves when the process has ended; at once when there is none. */
  get exited(): Promise<void> { return this.#exited; }

  /** Starts a process; resolves with its address once it listens. Rejects with `SYNOD_ERR_NODE_STATE` when it ends or dawdles before. */
  start({ command, env, readyTimeoutMs }: ChildCommand): Promise<string> {
    this.#require(this.#child === null, "is running already");
    this.#log.rotate();
    this.#endsAs = "crashed";
    const [program = "", ...args] = command;
    // A process group of its own: Ctrl-C in the terminal reaches the manager only, which then stops its nodes in good order.
    const child = spawn(program, args, { env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    const ready = this.#untilListening(child, readyTimeoutMs);
    this.#exited = new Promise((resolve) => {
      const ended = (): void => { this.#ended(child); resolve(); };
      child.once("error", ended).once("exit", ended);
    });
    this.#become("running");
    return ready;
  }

  /** Asks the process to end in good order; a paused one is resumed so that it can. Ends it after `timeoutMs` if it has not. */
  async stop(timeoutMs: number): Promise<void> {
    this.#require(this.#child !== null, "is not running");
    this.#end("stopped", "SIGTERM");
    if (this.#state === "paused") this.#child?.kill("SIGCONT");
    const late = setTimeout(() => this.#child?.kill("SIGKILL"), timeoutMs);
    await this.#exited;
    clearTimeout(late);
  }

  async kill(): Promise<void> {
    this.#require(this.#child !== null, "is not running");
    this.#end("killed", "SIGKILL");
    await this.#exited;
  }

  pause(): void {
    this.#require(this.#state === "running" && this.#child !== null, "is not running");
    this.#child?.kill("SIGSTOP");
    this.#become("paused");
  }

  resume(): void {
    this.#require(this.#state === "paused", "is not paused");
    this.#child?.kill("SIGCONT");
    this.#become("running");
  }

  #end(endsAs: NodeState, signal: NodeJS.Signals): void {
    this.#endsAs = endsAs;
    this.#child?.kill(signal);
  }

  #ended(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#listening = false;
    this.#become(this.#endsAs);
  }

  #untilListening(child: ChildProcess, timeoutMs: number): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const said = new FirstWords();
    const fail = (why: string): void => {
      reject(new SynodError("SYNOD_ERR_NODE_STATE", `Node ${this.name} ${why}.${said.quote()}`));
    };
    this.#capture(child, (bytes) => {
      const url = said.hear(bytes);
      if (url === null) return;
      this.#listening = true;
      resolve(url);
      this.#onChange();
    });
    const late = setTimeout(() => {
      fail(`did not listen within ${timeoutMs} ms`);
      child.kill("SIGKILL");
    }, timeoutMs);
    child.once("error", (error) => fail(`could not be started (${error.message})`));
    child.once("close", (code, signal) => fail(`ended (${signal ?? `exit code ${code}`}) before it listened`));
    return promise.finally(() => clearTimeout(late));
  }

  #capture(child: ChildProcess, hear: (bytes: Buffer) => void): void {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (bytes: Buffer) => {
        this.#log.write(bytes);
        hear(bytes);
      });
    }
    child.stdin?.on("error", () => {});
    child.once("close", () => {
      if (this.#child === null) this.#log.close();
    });
  }

  #become(state: NodeState): void {
    this.#state = state;
    this.#onChange();
  }

  #require(condition: boolean, otherwise: string): void {
    if (!condition) throw new SynodError("SYNOD_ERR_NODE_STATE", `Node ${this.name} ${otherwise} (it is ${this.#state}).`);
  }
}

/** What a process prints until it says that it listens: the place to look for that line, and for the reason when it never comes. */
class FirstWords {
  static readonly MAX_CHARS = 16_384;
  #text = "";
  #listening = false;

  /** The address, when these bytes complete the line that names it. */
  hear(bytes: Buffer): string | null {
    if (this.#listening) return null;
    this.#text = (this.#text + bytes.toString("utf8")).slice(-FirstWords.MAX_CHARS);
    const complete = this.#text.split("\n").slice(0, -1);
    const url = complete.map(parseListeningLine).find((found) => found !== null) ?? null;
    if (url !== null) {
      this.#listening = true;
      this.#text = "";
    }
    return url;
  }

  quote(): string {
    const lines = this.#text.trim().split("\n").slice(-6).map((line) => `\n  ${line.slice(0, 300)}`);
    return this.#text.trim() === "" ? "" : ` It said:${lines.join("")}`;
  }
}
