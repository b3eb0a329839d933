import type { KubernetesObject } from "@kubernetes/client-node";
import type { EventText } from "../kube/event-recorder.ts";
import { objectKey } from "../manifests/desired-objects.ts";
import type { Action } from "../plan/actions.ts";
import type { Observed } from "../plan/observed.ts";
import { namesOf } from "../resource/names.ts";
import { describeUpdate } from "./describe-update.ts";

/** What an action that was carried out is told as; null when the plan told it, or it follows from what is told anyway. */
export function describeAction(action: Action, observed: Observed): EventText | null {
  const words = wordsOf(action, observed);
  if (words === null) return null;
  const { reason, message } = words;
  return { type: "Normal", reason, action: action.type.charAt(0).toUpperCase() + action.type.slice(1), message };
}

interface Words {
  readonly reason: string;
  readonly message: string;
}

const said = (reason: string, message: string): Words => ({ reason, message });

function wordsOf(action: Action, observed: Observed): Words | null {
  const podName = (ordinal: number): string => `${observed.cluster.metadata.name}-${ordinal}`;
  switch (action.type) {
    case "apply":
      return applied(action.object, observed);
    case "recreateStatefulSet":
      return said("RecreatedStatefulSet", "Deleted the StatefulSet, without its pods, to make it again: what changed cannot be changed in place");
    case "deleteObject":
      return said("Deleted", `Deleted ${action.kind}/${action.name}`);
    case "createKey":
      return said("CreatedKey", "Created the key of the cluster's members");
    case "rotateKey":
      return said("RotatedKey", "Made a new key for the members; the one before it is accepted beside it");
    case "dropPreviousKey":
      // Members accept the keys of their last two readings, as one that has read the new key and one that has not must understand each other.
      return said(
        "DroppedKey",
        `All members have the new key; the one before it left the Secret ${namesOf(observed.cluster.metadata.name).keySecret}, and they accept it `
        + "until they are restarted or get the next key: restart them by spec.restartedAt if others know it",
      );
    case "createBootstrap":
    case "announceKey":
    case "labelLeader":
      return null;
    case "deleteBootstrap":
      return said("DroppedFounding", "Nothing is left of the cluster that was founded before: its founding document was deleted");
    case "found":
      return said("Founded", `${podName(action.ordinal)} has the founding document`);
    case "addLearner":
      return said("AddedLearner", `Added ${podName(action.ordinal)} as a learner (${action.incarnation})`);
    case "promote":
      return action.replaces === null
        ? said("Promoted", `${seatName(observed, action.id)} votes now`)
        : said("ReplacedMember", `${seatName(observed, action.id)} (${action.id}) votes now in the place of ${action.replaces}`);
    case "removeMember":
      return said("RemovedMember", `Removed ${action.name} (${action.id}) from the configuration`);
    case "transferLeadership":
      return said("TransferredLeadership", `${seatName(observed, action.to)} leads now`);
    case "renewMember":
      return said("RenewedMember", `${podName(action.ordinal)} empties its folder and comes back as a new member`);
    case "deletePod":
      return said("DeletedPod", `Deleted the pod ${action.name}, to be made anew`);
    case "deleteClaim":
      return said("DeletedVolume", `Deleted the claim ${action.name}: its member has left`);
    case "nudgeStatefulSet":
      return said("NudgedStatefulSet", "A pod is missing: touched the StatefulSet, for Kubernetes to make it");
    case "resizeClaim":
      return said("ResizedVolume", `Asked for ${action.size} for the claim ${action.name}`);
    case "ownClaim":
      return said("OwnedVolume", action.owned ? `The claim ${action.name} is deleted with the cluster from now on` : `The claim ${action.name} is kept when the cluster is deleted`);
  }
}

function applied(object: KubernetesObject, observed: Observed): Words {
  const key = objectKey(object);
  const live = observed.objects.get(key);
  if (live === undefined) return said("Created", `Created ${key}`);
  const what = describeUpdate(object, live);
  return said("Updated", what === "" ? `Updated ${key}` : `Updated ${key}: ${what}`);
}

function seatName({ configuration }: Observed, id: string): string {
  return configuration?.seats.find((seat) => seat.id === id)?.name ?? id;
}
