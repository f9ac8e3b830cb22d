// How seats are told apart: sixteen colours that differ in hue or lightness, and four hulls, so that neighbours differ
// in both and nobody needs to see colours well.

/** By seat, from 1. */
const COLOURS = [
  "#ffb938", "#43d5ff", "#ff5c6c", "#8be04e", "#b78bff", "#ff8ad8", "#2fe0b0", "#ff8a3d",
  "#5f9bff", "#e8e04a", "#f45bff", "#9fd0a0", "#d0a87c", "#7ef0f0", "#ff9f9f", "#cfd6e6",
];

/** A hull is a polygon around the ship's centre with its nose to the right, in units. */
export type Hull = readonly (readonly [number, number])[];

const HULLS: readonly Hull[] = [
  [[14, 0], [-10, 9.5], [-6, 0], [-10, -9.5]],
  [[13.5, 0], [3, 4.5], [-8, 10.5], [-7, 3.5], [-10.5, 0], [-7, -3.5], [-8, -10.5], [3, -4.5]],
  [[14, 0], [-2, 10.5], [-10.5, 5], [-7.5, 0], [-10.5, -5], [-2, -10.5]],
  [[13, 1.5], [5, 3.5], [1, 10.5], [-10.5, 8], [-6.5, 0], [-10.5, -8], [1, -10.5], [5, -3.5], [13, -1.5]],
];

/** The colour of a seat, as #rrggbb. */
export function colour(seat: number): string {
  return COLOURS[(((seat - 1) % COLOURS.length) + COLOURS.length) % COLOURS.length]!;
}

/** The shape of a seat's ship. */
export function hull(seat: number): Hull {
  return HULLS[(((seat - 1) % HULLS.length) + HULLS.length) % HULLS.length]!;
}

/** A colour with some of its strength, from 0 to 1. */
export function faint(hex: string, alpha: number): string {
  const part = Math.round(255 * Math.max(0, Math.min(1, alpha)));
  return hex + part.toString(16).padStart(2, "0");
}
