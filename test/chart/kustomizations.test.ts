import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { renderKustomizations } from "../../k8s/render.ts";
import { HAS_HELM, ROOT, run } from "./helm.ts";

const FOLDERS = ["operator", "cluster"];
const HAS_KUBECTL = run("kubectl", ["version", "--client"]).ok;

describe("the kustomizations", () => {
  it.skipIf(!HAS_HELM)("are what the chart renders; `npm run k8s` makes them so (needs helm)", () => {
    const files = FOLDERS.flatMap((folder) => readdirSync(join(ROOT, "k8s", folder)).map((name) => `${folder}/${name}`));
    const written = new Map(files.map((path) => [path, readFileSync(join(ROOT, "k8s", path), "utf8")]));
    expect(Object.fromEntries(written)).toEqual(Object.fromEntries(renderKustomizations()));
  });

  it.skipIf(!HAS_KUBECTL).each(FOLDERS)("can be built: %s (needs kubectl)", (folder) => {
    expect(run("kubectl", ["kustomize", join(ROOT, "k8s", folder)])).toMatchObject({ ok: true, output: expect.stringContaining("kind: ") });
  });

  it("belong to kubectl, not to Helm", () => {
    for (const folder of FOLDERS) {
      for (const name of readdirSync(join(ROOT, "k8s", folder))) {
        expect([name, /helm/i.test(readFileSync(join(ROOT, "k8s", folder, name), "utf8"))]).toEqual([name, false]);
      }
    }
  });
});
