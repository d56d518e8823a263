/** What is added between rounds: 0x1BD11BDA, the parity constant of Threefry. */
const parity = 0x1bd11bda;
const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/**
 * One block of Threefry-2x32 with 20 rounds: two words from a key and a counter. It has no state, so the same
 * (key, counter) gives the same bits on the host and on every device.
 *
 * @param out  Receives the two words as unsigned 32-bit numbers.
 * @see        J. Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3, §4.
 */
export function threefry(key0: number, key1: number, counter0: number, counter1: number, out: Uint32Array): void {
  const key2 = key0 ^ key1 ^ parity;
  const keys = [key0, key1, key2];
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  for (let group = 0; group < 5; group++) {
    for (let round = 0; round < 4; round++) {
      const r = rotations[(group % 2) * 4 + round] as number;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    }
    x0 = (x0 + (keys[(group + 1) % 3] as number)) | 0;
    x1 = (x1 + (keys[(group + 2) % 3] as number) + group + 1) | 0;
  }
  out[0] = x0;
  out[1] = x1;
}

/**
 * Words `lane`, `lane + 2`, … of draw number `counter`, each shifted right: element i is word 2i + lane of the draw.
 */
export function randomWords(
  key: readonly [number, number],
  counter: number,
  lane: number,
  shift: number,
  out: { [index: number]: number; readonly length: number },
): void {
  const block = new Uint32Array(2);
  for (let i = 0; i < out.length; i++) {
    threefry(key[0], key[1], counter, i, block);
    out[i] = (block[lane] as number) >>> shift;
  }
}

/** The key of a seed: its low and high 32 bits. */
export function keyOf(seed: number): readonly [number, number] {
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
}
