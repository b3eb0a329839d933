import { SynodError } from "../errors/synod-error.ts";
import { type Answer, type Call, send } from "./http-call.ts";

/**
 * As `send`, for changes of members or leadership. None of them is made twice, so one whose answer was lost may be asked for again, as
 * `SYNOD_ERR_CHANGE_UNKNOWN` says.
 */
export async function sendChange(call: Call): Promise<Answer> {
  try {
    return await send(call);
  } catch (error) {
    if (!(error instanceof SynodError) || error.code !== "SYNOD_ERR_OUTCOME_UNKNOWN") throw error;
    throw new SynodError("SYNOD_ERR_CHANGE_UNKNOWN", `${error.message} Ask again: no change is made twice.`);
  }
}
