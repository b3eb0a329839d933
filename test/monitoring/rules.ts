import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadYaml } from "@kubernetes/client-node";

export const RULES_FOLDER = join(import.meta.dirname, "../../helm/synod/files/rules");

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Alert[] }[];
}

export const RULE_FILES: readonly string[] = readdirSync(RULES_FOLDER).filter((name) => name.endsWith(".yaml")).sort();

export function readAlerts(file: string): Alert[] {
  return loadYaml<RuleFile>(readFileSync(join(RULES_FOLDER, file), "utf8")).groups.flatMap(({ rules }) => rules);
}
