import type { Series } from "./series.js";

// What a graph shows is worked out here, without a canvas.

const TOPS = [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The round number at or above a value that is the top of its graph. */
export function niceTop(value: number, least: number): number {
  const v = Math.max(value, least);
  if (!(v > 0) || !Number.isFinite(v)) return 1;
  const power = 10 ** Math.floor(Math.log10(v));
  const step = TOPS.find((s) => s * power >= v * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** The time that a graph shows: to now, in columns of so many milliseconds each. */
export interface Span {
  now: number;
  columnMs: number;
  columns: number;
}

/**
 * The values of a series by column, the oldest first: the greatest of each column, so that no peak is lost, or the least
 * where those are what matters. Columns without a value are not numbers. They begin at multiples of their width, so that
 * a value stays in its column while time goes on; the last one is that of now.
 */
export function columnsOf(series: Series, span: Span, pick: "most" | "least" = "most"): Float64Array {
  const out = new Float64Array(span.columns).fill(NaN);
  const last = Math.floor(span.now / span.columnMs);
  for (let i = 0; i < series.length; i++) {
    const column = Math.floor(series.time(i) / span.columnMs) - last + span.columns - 1;
    if (column < 0) break;
    const v = series.value(i);
    if (column >= span.columns || Number.isNaN(v)) continue;
    const known = out[column]!;
    if (Number.isNaN(known) || (pick === "most" ? v > known : v < known)) out[column] = v;
  }
  return out;
}

/** In which column of a span a time lies; it may be outside. */
export function columnOf(time: number, span: Span): number {
  return Math.floor(time / span.columnMs) - Math.floor(span.now / span.columnMs) + span.columns - 1;
}

/** When a column of a span ends. */
export function timeOf(column: number, span: Span): number {
  return (Math.floor(span.now / span.columnMs) + column - span.columns + 2) * span.columnMs;
}

/** Layers that lie on each other: the tops of each, the lowest first. What has no value has no height. */
export function stack(layers: readonly Float64Array[]): Float64Array[] {
  const out: Float64Array[] = [];
  for (const layer of layers) {
    const below = out.at(-1);
    out.push(layer.map((v, i) => (Number.isNaN(v) ? 0 : v) + (below?.[i] ?? 0)));
  }
  return out;
}

/** A number with a unit for people: at most three digits that matter. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const v = Math.abs(value);
  if (v >= 999_500) return `${trim(value / 1e6)}M`;
  if (v >= 9995) return `${trim(value / 1e3)}k`;
  return trim(value);
}

/** Bytes for people. */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return value >= 999.5 ? `${trim(value / 1000)} kB` : `${Math.round(value)} B`;
}

function trim(value: number): string {
  const v = Math.abs(value);
  const digits = v >= 100 || v === 0 ? 0 : v >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}
