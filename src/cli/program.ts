import { Command } from "commander";
import { checkCommand } from "./check-command.ts";
import { applyClusterCommand, deleteClusterCommand } from "./cluster-commands.ts";
import { controllerCommand } from "./controller-command.ts";
import { devCommand } from "./dev-command.ts";
import { foundCommand } from "./found-command.ts";
import { kvCommand } from "./kv-command.ts";
import { memberCommand } from "./member-command.ts";
import { nodeCommand } from "./node-command.ts";
import { VERSION } from "../node/version.ts";
import { recoverCommand } from "./recover-command.ts";
import { statusCommand } from "./status-command.ts";

/** The whole command line. Wrong usage is thrown as commander's error, after it has been told on standard error. */
export function buildProgram(): Command {
  const program = new Command("synod").description("A replicated key-value store on Multi-Paxos.").version(VERSION);
  const commands = [
    nodeCommand(), devCommand(), foundCommand(), kvCommand(), memberCommand(), recoverCommand(), statusCommand(), checkCommand(),
    controllerCommand(), applyClusterCommand(), deleteClusterCommand(),
  ];
  for (const command of commands) program.addCommand(command);
  program.showHelpAfterError("Try `synod --help`, or `--help` after any command.");
  forEach(program, (command) => command.exitOverride());
  return program;
}

function forEach(command: Command, act: (command: Command) => void): void {
  act(command);
  for (const inner of command.commands) forEach(inner, act);
}
