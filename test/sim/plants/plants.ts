import { AGREEMENT } from "./agreement.ts";
import { CLIENTS } from "./clients.ts";
import { DURABILITY } from "./durability.ts";
import { LEADERSHIP } from "./leadership.ts";
import { LED_COMMAND } from "./led-patches.ts";
import { MEMBERSHIP } from "./membership.ts";
import type { Plant } from "./plant.ts";

export const PLANTS: readonly Plant[] = [...AGREEMENT, ...DURABILITY, ...LEADERSHIP, ...MEMBERSHIP, ...CLIENTS];

/** What only helps to plant bugs, and must be found to be none. */
export const HARMLESS: readonly Plant[] = [
  { name: "led-command", rule: "10", mistake: "None: a command that depends on leadership is judged as the rule says.", patches: LED_COMMAND },
];
