// FarmHash's Fingerprint64, as chapter 28 writes it down.

const MASK = (1n << 64n) - 1n;
const K0 = 0xc3a5c85c97cb3127n, K1 = 0xb492b66fbe98f273n, K2 = 0x9ae16a3b2f90404fn;
const u = (x) => x & MASK;
const rotate = (x, j) => u((x >> BigInt(j)) | (x << BigInt(64 - j)));
const mix = (x) => x ^ (x >> 47n);
const two = (p, q, m) => {
  const a = mix(u((p ^ q) * m));
  return u(mix(u((q ^ a) * m)) * m);
};

/** The fingerprint of bytes, a BigInt of 64 bits. */
export function fingerprint64(bytes) {
  const n = bytes.length, count = BigInt(n), view = new DataView(bytes.buffer, bytes.byteOffset, n), m = u(K2 + 2n * count);
  const w = (i) => view.getBigUint64(i, true), h = (i) => BigInt(view.getUint32(i, true)), b = (i) => BigInt(bytes[i]);
  if (n === 0) return K2;
  if (n <= 3) return u(mix(u((b(0) + 256n * b(n >> 1)) * K2) ^ u((count + 4n * b(n - 1)) * K0)) * K2);
  if (n <= 7) return two(u(count + 8n * h(0)), h(n - 4), m);
  if (n <= 16) {
    const a = u(w(0) + K2);
    return two(u(rotate(w(n - 8), 37) * m + a), u((rotate(a, 25) + w(n - 8)) * m), m);
  }
  const c = n <= 64 ? u(w(n - 8) * m) : 0n;
  if (n <= 32) {
    const a = u(w(0) * K1), y = u(rotate(u(a + w(8)), 43) + rotate(c, 30) + w(n - 16) * K2);
    return two(y, u(a + rotate(u(w(8) + K2), 18) + c), m);
  }
  if (n <= 64) {
    const a = u(w(0) * K2), y = u(rotate(u(a + w(8)), 43) + rotate(c, 30) + w(n - 16) * K2), z = two(y, u(a + rotate(u(w(8) + K2), 18) + c), m);
    const e = u(w(16) * m), g = u((y + w(n - 32)) * m);
    return two(u(rotate(u(e + w(24)), 43) + rotate(g, 30) + (z + w(n - 24)) * m), u(e + rotate(u(w(24) + a), 18) + g), m);
  }
  return long(n, w);
}

function long(n, w) {
  let x = u(81n * K2 + w(0)), y = u(81n * K1 + 113n), z = u(mix(u(y * K2 + 113n)) * K2), v0 = 0n, v1 = 0n, w0 = 0n, w1 = 0n;
  const sums = (i, a, b) => {
    const p = u(b + a + w(i) + w(i + 24)), q = u(a + w(i) + w(i + 8) + w(i + 16));
    return [u(q + w(i + 24)), u(a + w(i) + rotate(p, 21) + rotate(q, 44))];
  };
  const step = (i, m, t) => {
    x = u(rotate(u(x + y + v0 + w(i + 8)), 37) * m);
    y = u(rotate(u(y + v1 + w(i + 48)), 42) * m);
    x ^= u(w1 * t);
    y = u(y + v0 * t + w(i + 40));
    z = u(rotate(u(z + w0), 33) * m);
    [v0, v1] = sums(i, u(v1 * m), u(x + w0));
    [w0, w1] = sums(i + 32, u(z + w1), u(y + w(i + 16)));
    [x, z] = [z, x];
  };
  for (let i = 0; i < 64 * Math.floor((n - 1) / 64); i += 64) step(i, K1, 1n);
  const m = u(K1 + 2n * (z & 255n));
  w0 = u(w0 + BigInt((n - 1) % 64));
  v0 = u(v0 + w0);
  w0 = u(w0 + v0);
  step(n - 64, m, 9n);
  return two(u(two(v0, w0, m) + mix(y) * K0 + z), u(two(v1, w1, m) + x), m);
}
