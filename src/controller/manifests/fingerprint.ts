/** FNV-1a's prime, and where its 32-bit form begins; the second lane begins elsewhere. */
const PRIME = 0x01000193;
const LANES = [0x811c9dc5, 0x9dc5811c] as const;

/** A short text that changes when the value does: two lanes of FNV-1a over its JSON. It is no protection against whoever wants two alike. */
export function fingerprint(value: unknown): string {
  const text = JSON.stringify(value);
  return LANES.map((start) => {
    let hash = start;
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME) >>> 0;
    return hash.toString(16).padStart(8, "0");
  }).join("");
}
