import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * A real file system that is small, mounted on a folder: tmpfs, or ext4 in a file that is mounted as a loop device. Needs
 * root; `mountable` says whether it can be had at all.
 */
export class SmallDisk {
  readonly folder: string;
  readonly #image: string | null;

  private constructor(folder: string, image: string | null) {
    this.folder = folder;
    this.#image = image;
  }

  static async tmpfs(folder: string, bytes: number): Promise<SmallDisk> {
    await mkdir(folder, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "synod-test", folder]);
    return new SmallDisk(folder, null);
  }

  static async ext4(folder: string, bytes: number): Promise<SmallDisk> {
    const image = `${folder}.img`;
    await mkdir(folder, { recursive: true });
    await writeFile(image, "");
    execFileSync("truncate", ["-s", String(bytes), image]);
    execFileSync("mkfs.ext4", ["-q", "-m", "0", image]);
    execFileSync("mount", ["-o", "loop,errors=remount-ro", image, folder]);
    return new SmallDisk(folder, image);
  }

  readOnly(readOnly: boolean): void {
    execFileSync("mount", ["-o", `remount,${readOnly ? "ro" : "rw"}`, this.folder]);
  }

  /** What the kernel does when the disk below an ext4 fails: nothing can be written any more, open files or not. */
  abort(): void {
    execFileSync("mount", ["-o", "remount,abort", this.folder]);
  }

  /** Makes a file system that was aborted usable again; no file in it may be open. */
  repair(): void {
    if (this.#image === null) throw new Error("only an ext4 is repaired");
    execFileSync("umount", [this.folder]);
    try {
      execFileSync("e2fsck", ["-p", "-f", this.#image], { stdio: "ignore" });
    } catch {
      // It tells by its exit code that it has mended something.
    }
    execFileSync("mount", ["-o", "loop", this.#image, this.folder]);
  }

  /** Takes `bytes` of the space away, or as much as there is. */
  fill(bytes: number): void {
    try {
      execFileSync("dd", ["if=/dev/zero", `of=${this.folder}/filler`, "bs=4096", `count=${Math.ceil(bytes / 4096)}`, "conv=fsync"], { stdio: "ignore" });
    } catch {
      // The disk is full before: that is what was asked for.
    }
  }

  empty(): Promise<void> {
    return rm(`${this.folder}/filler`, { force: true });
  }

  async remove(): Promise<void> {
    execFileSync("umount", ["-l", this.folder]);
    await rm(this.folder, { recursive: true, force: true });
    if (this.#image !== null) await rm(this.#image, { force: true });
  }
}

/** Whether this process may mount: asked once, with a mount that is undone at once. */
export function mountable(kind: "tmpfs" | "ext4"): boolean {
  if (process.getuid?.() !== 0 || (kind === "ext4" && !existsSync("/dev/loop-control"))) return false;
  const probe = `/tmp/synod-mount-probe-${process.pid}-${kind}`;
  try {
    execFileSync("mkdir", ["-p", dirname(probe), probe]);
    if (kind === "ext4") {
      execFileSync("truncate", ["-s", "4M", `${probe}.img`]);
      execFileSync("mkfs.ext4", ["-q", `${probe}.img`]);
    }
    execFileSync("mount", kind === "tmpfs" ? ["-t", "tmpfs", "synod-probe", probe] : ["-o", "loop", `${probe}.img`, probe], { stdio: "ignore" });
    execFileSync("umount", [probe]);
    return true;
  } catch {
    return false;
  } finally {
    execFileSync("rm", ["-rf", probe, `${probe}.img`]);
  }
}
