import { randomBytes } from "node:crypto";

/** 128 random bits as 32 hex digits: no two clusters share an id. */
export function drawClusterId(): string {
  return randomBytes(16).toString("hex");
}
