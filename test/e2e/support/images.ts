import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClusterTool, REPOSITORY } from "./cluster-tool.ts";

/** The images that the tests install, as references that the nodes can start. */
export interface Images {
  readonly synod: string;
  /** The same program under another reference; null where none is given. */
  readonly second: string | null;
}

/** Images that members do not come up with. */
export interface BrokenImages {
  /** Ends at once, whatever it is told to do. */
  readonly crashing: string;
  /** Lives, and is never ready. */
  readonly neverReady: string;
}

const REPOSITORY_NAME = "localhost/synod";
const SYNOD = `${REPOSITORY_NAME}:e2e`;
const SECOND = `${REPOSITORY_NAME}:e2e-second`;
const CRASHING = `${REPOSITORY_NAME}:e2e-crashing`;
const NEVER_READY = `${REPOSITORY_NAME}:e2e-never-ready`;

const NEVER_READY_PROGRAM =
  "process.on('SIGTERM', () => process.exit(0)); require('http').createServer((q, s) => { s.statusCode = q.url === '/healthz' ? 200 : 503; s.end(); }).listen(7400)";

/**
 * The images for a cluster. On this machine they are built from the repository; for any other cluster SYNOD_E2E_IMAGE names one that its nodes
 * have, or can pull, and SYNOD_E2E_SECOND_IMAGE another one of the same program.
 */
export async function prepareImages(node: ClusterTool | null): Promise<Images> {
  const given = process.env["SYNOD_E2E_IMAGE"];
  if (given !== undefined) return { synod: given, second: process.env["SYNOD_E2E_SECOND_IMAGE"] ?? null };
  if (node === null) {
    throw new Error("SYNOD_E2E_IMAGE must name an image that the cluster's nodes have: docker build -t synod:e2e . && kind load docker-image synod:e2e");
  }
  await node.build(SYNOD, REPOSITORY);
  await node.build(SECOND, REPOSITORY);
  return { synod: SYNOD, second: SECOND };
}

/** Builds the broken images from one that is there. */
export async function prepareBrokenImages(node: ClusterTool, synod: string): Promise<BrokenImages> {
  await buildFrom(node, CRASHING, `FROM ${synod}\nENTRYPOINT ["node", "-e", "process.exit(1)", "--"]\n`);
  await buildFrom(node, NEVER_READY, `FROM ${synod}\nENTRYPOINT ["node", "-e", ${JSON.stringify(NEVER_READY_PROGRAM)}, "--"]\n`);
  return { crashing: CRASHING, neverReady: NEVER_READY };
}

async function buildFrom(node: ClusterTool, image: string, dockerfile: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "synod-e2e-image-"));
  try {
    await writeFile(join(folder, "Dockerfile"), dockerfile);
    await node.build(image, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
