/** Most texts are short and have one byte per character, which costs a fraction of what an encoder does. */
const LAST_ASCII = 0x7f;
const encoder = new TextEncoder();

/** The UTF-8 of a text; a lone surrogate, which has none, becomes a replacement character. */
export function utf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > LAST_ASCII) return encoder.encode(text);
    bytes[at] = code;
  }
  return bytes;
}
