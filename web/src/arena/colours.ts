// How seats are told apart: sixteen colours that differ in hue or lightness, and four hulls, so that neighbours differ
// in both and nobody needs to see colours well. Each colour has a form for dark ground and one for light.

import type { Theme } from "../shared/theme.ts";
import { FIRST_BOT } from "./world.ts";

/** By seat, from 1: on dark ground. */
const ON_DARK = [
  "#ffb938", "#43d5ff", "#ff5c6c", "#8be04e", "#b78bff", "#ff8ad8", "#2fe0b0", "#ff8a3d",
  "#6fa6ff", "#e8e04a", "#f45bff", "#9fd0a0", "#d0a87c", "#7ef0f0", "#ff9f9f", "#cfd6e6",
];

/** The same seats on light ground, each dark enough for small letters. */
const ON_LIGHT = [
  "#8f5400", "#00698c", "#bb1c31", "#3a7000", "#653acb", "#a8257f", "#006e54", "#a44400",
  "#1d52c0", "#6a6200", "#9800a6", "#35683a", "#784e24", "#006b70", "#a03c42", "#45516b",
];

/** A hull is a polygon around the ship's centre with its nose to the right, in units. */
export type Hull = readonly (readonly [number, number])[];

const HULLS: readonly Hull[] = [
  [[14, 0], [-10, 9.5], [-6, 0], [-10, -9.5]],
  [[13.5, 0], [3, 4.5], [-8, 10.5], [-7, 3.5], [-10.5, 0], [-7, -3.5], [-8, -10.5], [3, -4.5]],
  [[14, 0], [-2, 10.5], [-10.5, 5], [-7.5, 0], [-10.5, -5], [-2, -10.5]],
  [[13, 1.5], [5, 3.5], [1, 10.5], [-10.5, 8], [-6.5, 0], [-10.5, -8], [1, -10.5], [5, -3.5], [13, -1.5]],
];

/** Which of some looks a seat has. Bots' seats begin high up: the first ones must not look like the first players. */
function turns(seat: number, of: number): number {
  const place = seat < FIRST_BOT ? seat - 1 : seat - FIRST_BOT + 1;
  return ((place % of) + of) % of;
}

/** The colour of a seat on a ground, as #rrggbb. */
export function colour(seat: number, ground: Theme): string {
  return (ground === "dark" ? ON_DARK : ON_LIGHT)[turns(seat, ON_DARK.length)]!;
}

/** The colour of a seat for a style sheet, which picks the form by the theme. */
export function seatColour(seat: number): string {
  return `light-dark(${colour(seat, "light")}, ${colour(seat, "dark")})`;
}

/** The shape of a seat's ship. */
export function hull(seat: number): Hull {
  return HULLS[hullNumber(seat)]!;
}

/** Which of the shapes a seat's ship has, from 0. */
export function hullNumber(seat: number): number {
  return turns(seat, HULLS.length);
}

/** A colour with some of its strength, from 0 to 1. */
export function faint(hex: string, alpha: number): string {
  const part = Math.round(255 * Math.max(0, Math.min(1, alpha)));
  return hex + part.toString(16).padStart(2, "0");
}
