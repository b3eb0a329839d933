import { CLUSTER_DASHBOARD } from "./cluster.ts";
import { CONTROLLER_DASHBOARD } from "./controller.ts";

export const DASHBOARD_FOLDER: URL = new URL("../synod/files/dashboards/", import.meta.url);

/** The dashboards as the chart carries them, by the name of the file. */
export const DASHBOARD_FILES: Readonly<Record<string, string>> = {
  "cluster.json": text(CLUSTER_DASHBOARD),
  "controller.json": text(CONTROLLER_DASHBOARD),
};

function text(dashboard: object): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
