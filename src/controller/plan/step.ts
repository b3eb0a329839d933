import type { Action } from "./actions.ts";

/** Why things are not yet, or not well: for conditions. */
export interface Remark {
  /** CamelCase, for programs. */
  readonly reason: string;
  /** What is the case and what to do about it. */
  readonly message: string;
}

/** What one part of the plan has to say. With actions it ends the search for something to do; without, the later parts go on. */
export interface Step {
  readonly actions: readonly Action[];
  /** What is done or awaited, null when there is nothing of the kind. */
  readonly progress: Remark | null;
  /** Something that does not mend itself by waiting. */
  readonly problem: Remark | null;
  readonly againMs: number | null;
}

/** How soon members are asked again after a step that no watch tells about, and while one is awaited. */
const AFTER_STEP_MS = 100;
export const AWAIT_MS = 500;

const NOTHING: Step = { actions: [], progress: null, problem: null, againMs: null };

export function act(actions: readonly Action[], reason: string, message: string): Step {
  return { ...NOTHING, actions, progress: { reason, message }, againMs: AFTER_STEP_MS };
}

export function wait(reason: string, message: string, againMs: number | null = AWAIT_MS): Step {
  return { ...NOTHING, progress: { reason, message }, againMs };
}

export function refuse(reason: string, message: string): Step {
  return { ...NOTHING, problem: { reason, message }, againMs: AWAIT_MS };
}
