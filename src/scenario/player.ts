import { COMMANDS } from "./commands.ts";
import { type Command, parseScript, ScenarioError, type Script } from "./script.ts";
import { Stage } from "./stage.ts";
import { Words } from "./words.ts";

/** How a scenario went. */
export interface Playback {
  /** Every line of the trace; the last one tells of the failure, if there was one. */
  readonly trace: readonly string[];
  readonly failure: ScenarioError | null;
}

const MAX_REPETITIONS = 100_000;

/** Plays a script command by command, so that a page can stop between two of them and look at the stage. */
export class Player {
  readonly script: Script;
  readonly stage = new Stage();
  #next = 0;
  #failure: ScenarioError | null = null;

  /** Throws `ScenarioError` when the text is not a script. */
  constructor(text: string) {
    this.script = parseScript(text);
  }

  get failure(): ScenarioError | null {
    return this.#failure;
  }

  get done(): boolean {
    return this.#failure !== null || this.#next === this.script.commands.length;
  }

  /** Plays the next command; nothing happens when all are played or one has failed. */
  step(): void {
    const command = this.script.commands[this.#next];
    if (this.#failure !== null || command === undefined) return;
    this.#next += 1;
    try {
      this.#play(command);
    } catch (error) {
      // An invariant of the core or of the cluster broke, or an expectation was not met: either way the scenario ends here.
      this.#failure = error instanceof ScenarioError ? error : new ScenarioError(command.line, String(error));
      this.stage.trace.line(`FAILED ${this.#failure.message}`);
    }
  }

  #play(command: Command): void {
    if (command.name === "#") return this.stage.trace.comment(command.words[0] ?? "");
    this.stage.trace.command([command.name, ...command.words].join(" "));
    if (command.name === "repeat") this.#repeat(command);
    else act(this.stage, command);
  }

  /** The body is shown once and its effects not at all. */
  #repeat(command: Command): void {
    const words = new Words(command);
    const times = words.number("a number of times");
    words.end();
    if (times > MAX_REPETITIONS) throw words.error(`at most ${MAX_REPETITIONS} repetitions`);
    const { trace } = this.stage;
    for (const { name, words: rest } of command.body) trace.command(`  ${[name, ...rest].join(" ")}`);
    const { detail } = trace;
    trace.detail = "nothing";
    for (let time = 0; time < times; time++) for (const each of command.body) if (each.name !== "#") act(this.stage, each);
    trace.detail = detail;
  }
}

function act(stage: Stage, command: Command): void {
  const action = COMMANDS[command.name];
  if (action === undefined) throw new ScenarioError(command.line, `${command.name} is not a command`);
  const words = new Words(command);
  action(stage, words);
  words.end();
}

/** Plays a whole script. Never throws: what goes wrong is the playback's failure. */
export function playScenario(text: string): Playback {
  let player: Player;
  try {
    player = new Player(text);
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    return { trace: [`FAILED ${error.message}`], failure: error };
  }
  while (!player.done) player.step();
  return { trace: player.stage.trace.lines, failure: player.failure };
}
