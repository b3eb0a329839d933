import { Agent, request } from "node:http";
import type { Writer } from "./system.ts";

const agent = new Agent({ keepAlive: true });

export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** One call of etcd's JSON gateway. */
export function call<T>(url: string, path: string, body: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method: "POST", agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(JSON.parse(text) as T);
        else reject(new Error(`${path}: ${response.statusCode} ${text}`));
      });
    });
    sent.on("error", reject);
    sent.end(JSON.stringify(body));
  });
}

/** Writes to one member through its JSON gateway. */
export class EtcdWriter implements Writer {
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, member: string) {
    this.#url = url;
    this.#key = base64(`gap-${member}`);
  }

  async write(value: string): Promise<boolean> {
    try {
      await call(this.#url, "/v3/kv/put", { key: this.#key, value: base64(value) });
      return true;
    } catch {
      return false;
    }
  }

  close(): void {}
}
