/** What the manager can do to one of its nodes. */
export const NODE_ACTIONS = ["stop", "kill", "pause", "resume", "start"] as const;
export type NodeAction = (typeof NODE_ACTIONS)[number];

export function isNodeAction(text: string): text is NodeAction {
  return (NODE_ACTIONS as readonly string[]).includes(text);
}
