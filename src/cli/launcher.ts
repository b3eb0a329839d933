/**
 * When the launcher (bin/synod.mjs) had to start this process with a newer Node, the two are connected. Should the launcher be
 * killed, the connection ends, and this process ends as if it had been asked to.
 */
export function endWithLauncher(): void {
  if (process.env["SYNOD_ENDS_WITH_LAUNCHER"] === undefined || process.channel === undefined) return;
  delete process.env["SYNOD_ENDS_WITH_LAUNCHER"];
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel?.unref();
}
