import { COMPONENT_LABEL, INSTANCE_LABEL, MANAGED_BY_LABEL, NAME_LABEL } from "../resource/names.ts";

/** What the manager writes as, and what every object that it keeps says. */
export const MANAGER = "synod-controller";
const APPLICATION = "synod";
const MEMBER = "member";
const CONTROLLER = "controller";

type Labels = Record<string, string>;

/** The labels of the members' pods and claims that never change: selectors are made of them and cannot be changed later. */
export function memberLabels(cluster: string): Labels {
  return { [NAME_LABEL]: APPLICATION, [INSTANCE_LABEL]: cluster, [COMPONENT_LABEL]: MEMBER };
}

/** The labels of the pods of the controller, whatever its release is called. */
export function controllerLabels(): Labels {
  return { [NAME_LABEL]: APPLICATION, [COMPONENT_LABEL]: CONTROLLER };
}

/** The labels of an object that the controller keeps. */
export function objectLabels(cluster: string): Labels {
  return { ...memberLabels(cluster), [MANAGED_BY_LABEL]: MANAGER };
}

/** The selector of the members as `kubectl -l` and the scale subresource take it. */
export function selectorText(cluster: string): string {
  return Object.entries(memberLabels(cluster)).map(([name, value]) => `${name}=${value}`).join(",");
}
