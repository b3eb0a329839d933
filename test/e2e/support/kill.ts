/** Kills processes of this machine. The first of a container takes the others with it, so that one that is gone already is no error. */
export function killAll(processes: readonly number[]): void {
  for (const id of processes) {
    try {
      process.kill(id, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}
