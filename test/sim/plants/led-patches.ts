import type { Patch } from "./plant.ts";

/** As a file of `src/node` names it. Nothing here may load it: a bug must be planted before anything of `src` is loaded. */
const COMMAND = "../../test/sim/plants/led-command.ts";

/** What puts the command into a member: the leader issues it as a client of its own, and it is judged when it is applied. */
export const LED_COMMAND: readonly Patch[] = [
  {
    file: "node/member.ts",
    replace: "import { ForwardedWrites } from \"./forwarded-writes.ts\";\n",
    by: `import { ForwardedWrites } from "./forwarded-writes.ts";\nimport { ledCommand } from "${COMMAND}";\n`,
  },
  {
    file: "node/member.ts",
    replace: "    this.#sweptAtMs = nowMs;\n",
    by: "    this.#sweptAtMs = nowMs;\n    if (this.#core.leads) this.#writes.submit(ledCommand(this.#core.status().ballot), () => {});\n",
  },
  {
    file: "node/applier.ts",
    replace: "import { decodeValue } from \"../paxos/value.ts\";\n",
    by: `import { decodeValue } from "../paxos/value.ts";\nimport { isOutdated, OUTDATED, tookEffect } from "${COMMAND}";\n`,
  },
  {
    file: "node/applier.ts",
    replace: "      results.push(this.#state.apply(slot, commands[results.length] as Uint8Array));\n",
    by: `      const command = commands[results.length] as Uint8Array;
      const outdated = isOutdated(command, this.#handle.leaderBallot);
      if (!outdated) tookEffect(command, this.#handle.leaderBallot);
      results.push(outdated ? OUTDATED : this.#state.apply(slot, command));
`,
  },
];
