import { afterAll, afterEach, beforeAll, inject } from "vitest";
import type { Images } from "./images.ts";
import { Place } from "./place.ts";
import { type Target, target } from "./target.ts";

export interface Scene {
  readonly target: Target;
  readonly images: Images;
  readonly place: Place;
}

/**
 * A namespace for the tests of one file, made before them and deleted after them. Returns a function, since it is there only while they run.
 * What there was when a test failed is written down.
 */
export function scene(name: string): () => Scene {
  let now: Scene | undefined;
  let failed = false;
  beforeAll(async () => {
    const where = await target();
    now = { target: where, images: inject("images"), place: await Place.make(where.api, name) };
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail" || now === undefined) return;
    failed = true;
    process.stdout.write(`what there was: ${await now.place.keepEvidence()}\n`);
  });
  afterAll(async () => {
    await now?.place.remove(failed);
  });
  return () => {
    if (now === undefined) throw new Error("the scene is there only while tests run");
    return now;
  };
}
