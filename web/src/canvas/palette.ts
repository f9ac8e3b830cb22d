// The colours of lines and of people. Each has a form for dark ground and one for light, so that a drawing can be seen in
// both themes; the first is ink: dark on light and light on dark.

import type { Theme } from "../shared/theme.ts";

/** A colour of lines, by its number in the room. */
export interface Colour {
  readonly name: string;
  readonly light: string;
  readonly dark: string;
}

export const COLOURS: readonly Colour[] = [
  { name: "Ink", light: "#17202f", dark: "#edf2fb" },
  { name: "Grey", light: "#7b8798", dark: "#8d9ab0" },
  { name: "Red", light: "#d1293d", dark: "#ff6674" },
  { name: "Orange", light: "#dd6b10", dark: "#ff9a4d" },
  { name: "Yellow", light: "#c99700", dark: "#ffd24a" },
  { name: "Green", light: "#2e8b3d", dark: "#62d67a" },
  { name: "Teal", light: "#0b8a86", dark: "#3fdcd2" },
  { name: "Blue", light: "#2463d6", dark: "#6aa5ff" },
  { name: "Violet", light: "#7b45d1", dark: "#b794ff" },
  { name: "Pink", light: "#cc3a8f", dark: "#ff86cd" },
];

/** The widths of pens, in units of the board. */
export const WIDTHS = [
  { name: "Fine", width: 3 },
  { name: "Medium", width: 6 },
  { name: "Broad", width: 14 },
  { name: "Marker", width: 32 },
] as const;

/** What a line looks like on a ground. A number that this page does not know is ink. */
export function lineColour(number: number, ground: Theme): string {
  return (COLOURS[number] ?? COLOURS[0]!)[ground];
}

// For names on their own colour: white on the light ground's, black on the dark ground's can be read.
const PEOPLE: readonly (readonly [light: string, dark: string])[] = [
  ["#b3263a", "#ff8a95"], ["#1d5fc4", "#82b4ff"], ["#247a33", "#74dc8a"], ["#a04a00", "#ffab66"],
  ["#6f3cc2", "#c3a6ff"], ["#00706d", "#4fdfd6"], ["#a82474", "#ff9bd5"], ["#6d5f00", "#ecd95a"],
];

/** How many colours of people there are. */
export const PEOPLE_COLOURS = PEOPLE.length;

/** Which of the colours somebody has, from 0. */
export function personColour(number: number): number {
  return (((number - 1) % PEOPLE.length) + PEOPLE.length) % PEOPLE.length;
}

/** Somebody's colour for a style sheet, which picks the form by the theme. */
export function personStyle(number: number): string {
  const [light, dark] = PEOPLE[personColour(number)]!;
  return `light-dark(${light}, ${dark})`;
}

/** The letters by which somebody is known in little space: the first ones of the first two words. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u);
  const first = (word: string | undefined) => [...(word ?? "")][0] ?? "";
  return (first(words[0]) + first(words[1])).toUpperCase() || "?";
}
