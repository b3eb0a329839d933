import { mkdir, writeFile } from "node:fs/promises";
import { DASHBOARD_FILES, DASHBOARD_FOLDER } from "./files.ts";

await mkdir(DASHBOARD_FOLDER, { recursive: true });
for (const [name, text] of Object.entries(DASHBOARD_FILES)) await writeFile(new URL(name, DASHBOARD_FOLDER), text);
