import { PLANTS } from "./plants.ts";
import type { Finding } from "./search.ts";
import { TRACES } from "./traces.ts";

const HEAD = "| Rule | Trace | Plant | Found by | Checker |\n|---|---|---|---|---|";

/** The table of all traces, for the documentation. */
export function traceTable(findings: Readonly<Record<string, Finding>>): string {
  const rows = TRACES.flatMap(({ rule, trace, plants }) => plants.map((name, index) => {
    const [where, checker] = foundBy(findings[name], PLANTS.find((plant) => plant.name === name)?.test);
    return `| ${index === 0 ? rule : ""} | ${index === 0 ? trace : ""} | \`${name}\` | ${where} | ${checker} |`;
  }));
  return `${[HEAD, ...rows].join("\n")}\n`;
}

function foundBy(finding: Finding | undefined, test: string | undefined): readonly [string, string] {
  if (finding === undefined) return ["", ""];
  if (finding.seed !== null) return [`seed ${finding.seed}`, finding.checker];
  if (test !== undefined && (finding.tests ?? []).length > 0) return [`\`${test.replace(".test.ts", "")}\``, "test"];
  return [finding.scenarios.slice(0, 1).map((script) => `\`${script.replace(".txt", "")}\``).join(), "scenario"];
}
