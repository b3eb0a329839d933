import { registerHooks } from "node:module";
import { patched, type Plant } from "./plant.ts";

const SOURCES = new URL("../../../src/", import.meta.url).href;

/** From now on every module that is loaded has the plant's patches in it. Returns the files that were not loaded yet. */
export function plantBug({ patches }: Plant): Set<string> {
  const missing = new Set(patches.map(({ file }) => file));
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const file = url.startsWith(SOURCES) ? url.slice(SOURCES.length) : "";
      const here = patches.filter((patch) => patch.file === file);
      if (here.length === 0) return loaded;
      missing.delete(file);
      const source = typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source ?? undefined);
      return { ...loaded, source: patched(source, here) };
    },
  });
  return missing;
}
