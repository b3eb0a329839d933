import { type IncomingMessage, request } from "node:http";

export interface Answer {
  readonly status: number;
  readonly revision: number | null;
  /** The code of an error, null when the answer is none. */
  readonly code: string | null;
  readonly body: string;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs?: number;
}

/** One request on a connection of its own. Rejects when there is no answer in time, 10 s by default. */
export function call(url: string, { method = "GET", headers = {}, body, timeoutMs = 10_000 }: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve(answerOf(response, Buffer.concat(chunks).toString("utf8"))));
    });
    sent.on("error", reject).end(body);
  });
}

function answerOf({ statusCode: status = 0, headers }: IncomingMessage, body: string): Answer {
  const header = headers["synod-revision"];
  const fields = parseObject(body);
  const revision = header === undefined ? fields["revision"] : Number(header);
  return {
    status,
    revision: typeof revision === "number" ? revision : null,
    code: status >= 400 && typeof fields["code"] === "string" ? fields["code"] : null,
    body,
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export const put = (url: string, key: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  call(`${url}/v1/kv/${key}`, { method: "PUT", body, headers });

/** A linearizable read through one member. */
export const get = (url: string, key: string): Promise<Answer> => call(`${url}/v1/kv/${key}`);
