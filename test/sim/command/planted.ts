import { plantBug } from "../plants/loader.ts";
import type { Patch } from "../plants/plant.ts";

// Loaded before the simulator's command, and by each of its threads: the patches in SYNOD_PLANTED are in all that is loaded afterwards.
plantBug({ name: "planted", rule: "", mistake: "", patches: JSON.parse(process.env["SYNOD_PLANTED"] ?? "[]") as Patch[] });
