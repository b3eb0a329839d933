type Tables = readonly [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

/** Slicing-by-8: table k gives what a byte does to the CRC when k more bytes follow it in the same step of eight. */
const [T0, T1, T2, T3, T4, T5, T6, T7] = makeTables();

function makeTables(): Tables {
  const table = (): Int32Array => new Int32Array(256);
  const tables: Tables = [table(), table(), table(), table(), table(), table(), table(), table()];
  const first = tables[0];
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    first[byte] = value;
  }
  for (let byte = 0; byte < 256; byte++) {
    let value = first[byte] as number;
    for (const each of tables.slice(1)) {
      value = (first[value & 0xff] as number) ^ (value >>> 8);
      each[byte] = value;
    }
  }
  return tables;
}

/**
 * CRC-32 (IEEE) of `bytes`, continuing from `seed` (the CRC of what came before). Gives the same numbers as zlib's crc32.
 * It exists beside zlib's because the pure layers run in browsers too.
 */
export function crc32(bytes: Uint8Array, seed = 0): number {
  let value = ~seed;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    value ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    value =
      (T7[value & 0xff] as number) ^
      (T6[(value >>> 8) & 0xff] as number) ^
      (T5[(value >>> 16) & 0xff] as number) ^
      (T4[value >>> 24] as number) ^
      (T3[bytes[at + 4] as number] as number) ^
      (T2[bytes[at + 5] as number] as number) ^
      (T1[bytes[at + 6] as number] as number) ^
      (T0[bytes[at + 7] as number] as number);
  }
  for (; at < bytes.length; at++) value = (T0[(value ^ (bytes[at] as number)) & 0xff] as number) ^ (value >>> 8);
  return ~value >>> 0;
}
