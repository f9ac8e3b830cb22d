// The arithmetic of a plot: what is where, without a canvas.

/** A moment of the past: when, in seconds since 1970, and what each series was then. */
export interface Sample {
  at: number;
  values: readonly number[];
}

/** How many seconds are kept. */
export const SPAN = 300;

/** How many seconds a plot shows: no more than it takes to show all samples. */
export function spanOf(samples: readonly Sample[]): number {
  const age = (samples.at(-1)?.at ?? 0) - (samples[0]?.at ?? 0);
  return [60, 120].find((s) => age < s) ?? SPAN;
}

/** After how many seconds without a sample a line is broken: nobody knows what was in between. */
export const GAP = 3;

/** The height of a plot: 1, 2 or 5 times a power of ten, at least what is asked for. */
export function top(most: number, least: number): number {
  const wanted = Math.max(most, least);
  const ten = 10 ** Math.floor(Math.log10(wanted));
  for (const step of [1, 2, 5]) if (wanted <= step * ten * (1 + 1e-9)) return step * ten;
  return 10 * ten;
}

/** The greatest of all values that are shown. */
export function most(samples: readonly Sample[]): number {
  let m = 0;
  for (const s of samples) for (const v of s.values) m = Math.max(m, v);
  return m;
}

/** Where the lines across a plot are: half way up, and at the top. Whole numbers have none in between. */
export const rungs = (height: number, whole: boolean): number[] => (whole && height % 2 ? [height] : [height / 2, height]);

/** The runs of samples that belong together, for one series: indices from, to inclusive. */
export function runs(samples: readonly Sample[]): [from: number, to: number][] {
  const list: [number, number][] = [];
  let from = 0;
  samples.forEach((s, i) => {
    const next = samples[i + 1];
    if (next && next.at - s.at <= GAP) return;
    list.push([from, i]);
    from = i + 1;
  });
  return list;
}

/** The index of the sample that is nearest to a time; -1 where there is none. */
export function nearest(samples: readonly Sample[], at: number): number {
  let best = -1;
  let far = Infinity;
  samples.forEach((s, i) => {
    const d = Math.abs(s.at - at);
    if (d < far) [best, far] = [i, d];
  });
  return best;
}

/** Samples in the order of their times, those of the last SPAN seconds before the newest. */
export function lately(samples: readonly Sample[]): Sample[] {
  const sorted = [...samples].sort((a, b) => a.at - b.at);
  const newest = sorted.at(-1)?.at ?? 0;
  return sorted.filter((s) => s.at > newest - SPAN);
}

/** Seconds, before the newest sample, at which the time axis has a mark, each with what is written there. */
export function marksOf(span: number): [ago: number, text: string][] {
  const step = span / (span === SPAN ? 5 : 4);
  const list: [number, string][] = [];
  for (let ago = step; ago < span; ago += step) list.push([ago, ago % 60 ? `−${ago} s` : `−${ago / 60} min`]);
  return list;
}

/** Every n-th sample, the newest first, for a table. */
export function rowsOf(samples: readonly Sample[], every: number): Sample[] {
  const rows: Sample[] = [];
  for (const s of [...samples].reverse()) {
    const last = rows.at(-1);
    if (!last || last.at - s.at >= every) rows.push(s);
  }
  return rows;
}
