/** Numbers that are the same in each run: from 0 to below n, or from 0 to below 1 (Mulberry32). */
export function random(seed: number): (n?: number) => number {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    const v = ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    return n === undefined ? v : Math.floor(v * n);
  };
}
