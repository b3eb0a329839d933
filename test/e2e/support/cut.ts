import { run } from "./run-command.ts";

/** The one chain that the tests write to, looked at before any other. */
const CHAIN = "TEST-CHAOS";

/** Which packets between a pod and all other pods are lost. */
export type Cut =
  /** All of them: nobody hears it and it hears nobody, and so with the API server and DNS. */
  | "whole"
  /** What it says: its acknowledgements arrive, so that links stay up, and its messages do not. */
  | "unheard"
  /** What it is told. */
  | "deaf";

async function iptables(...args: readonly string[]): Promise<void> {
  // Another process of the machine may hold the lock for a moment.
  await run("iptables", ["-w", "10", ...args]);
}

/** Cuts a pod off. Probes by its node's kubelet go on, as they do when a network fails. Resolves with what ends it. */
export async function cutOff(podIp: string, hostIp: string, cut: Cut): Promise<() => Promise<void>> {
  await makeChain();
  const message = ["-p", "tcp", "--tcp-flags", "PSH", "PSH"];
  const rules = {
    whole: [["-s", podIp], ["-d", podIp]],
    unheard: [[...message, "-s", podIp]],
    deaf: [[...message, "-d", podIp]],
  }[cut].map((match) => [...match, "-j", "DROP"]);
  // What it answers to probes comes in from the pod to the machine itself.
  const all = [["-s", podIp, "-d", hostIp, "-p", "tcp", "--sport", "7400", "-j", "RETURN"], ...rules];
  for (const rule of all) await iptables("-A", CHAIN, ...rule);
  return async () => {
    for (const rule of all) await iptables("-D", CHAIN, ...rule);
  };
}

async function makeChain(): Promise<void> {
  await iptables("-N", CHAIN).catch(() => {});
  for (const from of ["FORWARD", "INPUT"]) {
    await iptables("-C", from, "-j", CHAIN).catch(() => iptables("-I", from, "1", "-j", CHAIN));
  }
}
