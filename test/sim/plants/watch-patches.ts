import type { Patch } from "./plant.ts";

// Some checks of the watch say what a rule says, word for word: whoever breaks that rule alone falls over them at once. A plant that breaks
// it takes them off as well, so that what finds it is the harm that comes of it.

/** A leader proposes without anybody looking whether it has the promises of those who govern the slot (rules 2, 3 and 16). */
export const PROPOSES_UNSEEN: Patch = {
  file: "scenario/checker.ts",
  replace: "    if (!isMajority(configuration, (voter) => voter === member || promised?.has(voter) === true)) {",
  by: "    if (member < 0 && !isMajority(configuration, (voter) => promised?.has(voter) === true)) {",
};

/** The ballots and rounds that leave a member are not held against its disk (rules 5 and 5a). */
export const LEAVES_UNSEEN: Patch = {
  file: "scenario/checker.ts",
  replace: "    if (compareBallots(disk.promised, promised) >= 0 && disk.ownRound >= ownRound) return;",
  by: "    if (member >= 0) return;",
};

/** What a promise reports is not held against its sender's disk (rule 5). */
export const REPORTS_UNSEEN: Patch = {
  file: "scenario/checker.ts",
  replace: "      if (chosen || this.#decisions.holds(member, slot, at)) continue;",
  by: "      if (chosen || slot >= 0) continue;",
};

/** An acknowledgement is not held against the votes on its sender's disk (rules 3a and 5). */
export const ACKNOWLEDGES_UNSEEN: Patch = {
  file: "scenario/checker.ts",
  replace: "      if (this.#decisions.holds(member, slot, ballot)) continue;\n      throw new Violation(`member ${member} acknowledged",
  by: "      if (slot >= 0) continue;\n      throw new Violation(`member ${member} acknowledged",
};

/** A leader proposes above a configuration of its own without anybody looking whether that is decided (rule 16). */
export const PROPOSES_ABOVE_UNSEEN: Patch = {
  file: "scenario/checker.ts",
  replace: "    if (slot > last && last > this.decidedThrough) {",
  by: "    if (slot < 0) {",
};
