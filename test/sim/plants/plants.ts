import { AGREEMENT } from "./agreement.ts";
import { CLIENTS } from "./clients.ts";
import { DURABILITY } from "./durability.ts";
import { LEADERSHIP } from "./leadership.ts";
import { MEMBERSHIP } from "./membership.ts";
import type { Plant } from "./plant.ts";

export const PLANTS: readonly Plant[] = [...AGREEMENT, ...DURABILITY, ...LEADERSHIP, ...MEMBERSHIP, ...CLIENTS];
