import { createInterface } from "node:readline/promises";
import { Command } from "commander";
import { SynodError } from "../errors/synod-error.ts";
import { drawClusterId } from "../founding/cluster-id.ts";
import { type RecoveryPlan, recoverFolder } from "../node/recover.ts";
import { NodeFileSystem } from "../storage/file-system.ts";
import { parseAddress } from "./values.ts";

const ANSWER = "recover";

interface RecoverFlags {
  readonly data: string;
  readonly address?: string;
  readonly yes?: true;
}

export function recoverCommand(): Command {
  return new Command("recover")
    .description("make a new cluster of one stopped member's folder, after a quorum was lost for good")
    .requiredOption("--data <folder>", "the data folder of the member that has applied most")
    .option("--address <host:port>", "where the member will be (default: where it was)", parseAddress)
    .option("--yes", "do not ask")
    .action(recover);
}

async function recover({ data, address, yes }: RecoverFlags): Promise<void> {
  const recovered = await recoverFolder({
    fileSystem: new NodeFileSystem(), folder: data,
    drawClusterId,
    confirm: (plan) => confirm(plan, yes === true),
    ...(address === undefined ? {} : { address }),
  });
  if (recovered === null) return void process.stdout.write("Nothing was recovered.\n");
  process.stdout.write(
    `${data} is now a cluster of its own: cluster ${recovered.cluster}, incarnation ${recovered.incarnation}.\n` +
    `Start the member as before, and add others to it as new members. What the folder held is kept in ${data}/${recovered.kept} until you delete it.\n`,
  );
}

async function confirm(plan: RecoveryPlan, yes: boolean): Promise<boolean> {
  process.stdout.write(describe(plan));
  if (yes) return true;
  if (!process.stdin.isTTY) throw new SynodError("SYNOD_ERR_BAD_REQUEST", "Nobody can be asked here: say --yes once you have read the above.");
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await lines.question(`Type "${ANSWER}" to go on: `);
  lines.close();
  return answer.trim() === ANSWER;
}

/** What is kept and what may be lost, for people. */
function describe({ member, cluster, others, slot, revision, keys, knownChosen, missing }: RecoveryPlan): string {
  const names = others.map(({ name }) => name).join(", ");
  const lines = [
    `Member ${member} of cluster ${cluster} holds ${keys} keys at revision ${revision}, from the log through slot ${slot}.`,
    `It becomes a new cluster of ${member} alone. What may be lost, or come out otherwise than clients were told:`,
    `- every write that was acknowledged beyond slot ${slot}: this folder does not hold it, and nothing here tells whether there is one;`,
  ];
  if (slot > knownChosen) {
    lines.push(`- slots ${knownChosen + 1} to ${slot} were accepted here and are not known to be chosen: they are kept, also where their clients were told that the outcome is unknown;`);
  }
  if (missing.length > 0) {
    lines.push(`- ${missing.length} slot(s) among them are missing here, ${missing[0]} the first: what they held is lost, though later ones are kept;`);
  }
  lines.push(`- all else goes on from revision ${revision}: sessions and idempotency keys are kept.`);
  lines.push(others.length === 0 ? "The old cluster has no other members." :
    `The old members (${names}) stay what they are and cannot talk to the new cluster. If a quorum of them still exists, stop here: it has not lost anything.`);
  return `${lines.join("\n")}\n`;
}
