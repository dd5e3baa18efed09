// Bytes that can be read in parts: what members and archives are made of, wherever they lie.

/** A blob over bytes in memory: its size, and parts of it. */
export class Bytes {
  constructor(bytes) {
    this.bytes = bytes;
    this.size = bytes.length;
  }

  slice(begin = 0, end = this.size) {
    return this.bytes.subarray(begin, end);
  }
}

/** A part of a blob as a blob. */
export class Part {
  constructor(blob, begin, size) {
    Object.assign(this, { blob, begin, size });
  }

  slice(begin = 0, end = this.size) {
    return this.blob.slice(this.begin + begin, this.begin + end);
  }
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

/** The CRC-32 of a blob. */
export function crc32(blob) {
  let crc = 0xffffffff;
  for (let at = 0; at < blob.size; at += 1 << 20) {
    for (const byte of blob.slice(at, Math.min(at + (1 << 20), blob.size))) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
