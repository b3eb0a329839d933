import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { pino } from "pino";
import { Controller } from "./controller.ts";
import { connectionFromEnvironment } from "./kube/configuration.ts";
import { plan } from "./plan/plan.ts";

export interface StartOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  /** host:port */
  readonly listen: string;
  readonly leaseName: string;
  readonly leaseNamespace?: string;
  readonly identity?: string;
  readonly logLevel: string;
}

/** Starts a controller with what its surroundings say about the API server. Throws `SYNOD_ERR_BAD_REQUEST` when that is not to be found. */
export async function startController(options: StartOptions): Promise<Controller> {
  const { config, namespace: own } = await connectionFromEnvironment();
  // A restarted container keeps its host name: the random part tells its lives apart.
  const identity = options.identity ?? `${hostname()}_${randomBytes(4).toString("hex")}`;
  const controller = new Controller({
    config, identity, plan,
    namespace: options.allNamespaces === true ? undefined : (options.namespace ?? own),
    lease: { namespace: options.leaseNamespace ?? own, name: options.leaseName },
    listen: parseListen(options.listen),
    log: pino({ name: "synod", level: options.logLevel, base: { controller: identity } }),
  });
  await controller.start();
  return controller;
}

function parseListen(text: string): { readonly host: string; readonly port: number } {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}
