import type { Members } from "../api/service.ts";

/** How long a member may take to say who the members are: longer than it looks for a leader itself. */
const CALL_MS = 3_000;

/** What the member at `address` (host:port) says of the members; null when it gives no such answer. */
export async function fetchMembers(fetch: (url: string, init: RequestInit) => Promise<Response>, address: string | null): Promise<Members | null> {
  if (address === null) return null;
  try {
    const response = await fetch(`http://${address}/v1/members`, { signal: AbortSignal.timeout(CALL_MS) });
    const body = response.ok ? ((await response.json()) as Partial<Members>) : {};
    return typeof body.configuration === "number" && Array.isArray(body.members) ? (body as Members) : null;
  } catch {
    return null;
  }
}
