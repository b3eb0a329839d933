/** Stops processes of this machine in their tracks. Returns what lets those go on that are still there. */
export function freeze(processes: readonly number[]): () => void {
  if (processes.length === 0) throw new Error("there is no process to freeze");
  for (const id of processes) process.kill(id, "SIGSTOP");
  return () => {
    for (const id of processes) {
      try {
        process.kill(id, "SIGCONT");
      } catch (error) {
        // Its kubelet has found it dead and killed it, as it should.
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
  };
}
