import { SimulatedCluster, type ClusterOptions } from "./cluster.ts";
import { ScenarioError } from "./script.ts";
import { Trace } from "./trace.ts";

/** What a scenario plays on: a cluster, once the script has asked for one, and the trace of all that happens. */
export class Stage {
  readonly trace = new Trace();
  /** Elections won since the last `mark`. */
  elections = 0;
  /** Links that go down and up by turns while time passes. */
  flapping: readonly { readonly a: number; readonly b: number; readonly everyMs: number }[] = [];
  #cluster: SimulatedCluster | null = null;

  get cluster(): SimulatedCluster {
    if (this.#cluster === null) throw new ScenarioError(1, "the script must begin with `cluster N`");
    return this.#cluster;
  }

  get hasCluster(): boolean {
    return this.#cluster !== null;
  }

  build(options: ClusterOptions): void {
    this.#cluster = new SimulatedCluster({
      ...options,
      note: (note) => {
        if (note.type === "event" && note.event.type === "electionWon") this.elections += 1;
        this.trace.note(note);
      },
    });
  }
}
