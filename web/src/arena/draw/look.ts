// What the picture is painted with: a night in space, or a chart of it on pale paper. One page has one look at a time.

import type { Theme } from "../../shared/theme.ts";
import { colour } from "../colours.ts";

export interface Look {
  readonly theme: Theme;
  readonly sky: string;
  readonly clouds: readonly [string, string, string];
  /** A warm one, a cold one, and what most of them are. */
  readonly stars: readonly [string, string, string];
  readonly starlight: number; // a factor
  readonly floor: string;
  readonly minor: string;
  readonly major: string;
  readonly sector: string;
  readonly wall: string;
  readonly wallGlow: string;
  readonly hatch: string;
  /** How light adds to what is below it; paper has none to add to. */
  readonly light: GlobalCompositeOperation;
  readonly body: string; // below a hull's tint
  readonly bright: string; // what stands out most, #rrggbb
  readonly spark: string; // of metal, #rrggbb
  readonly ember: string; // #rrggbb
  readonly flame: readonly [string, string, string]; // from the outside in
  readonly halo: string; // behind letters
  readonly own: string; // the own name
  readonly crown: string;
  readonly map: { grid: string; window: string };
}

const NIGHT: Look = {
  theme: "dark",
  sky: "#070b14",
  clouds: ["rgba(46, 92, 190, 0.30)", "rgba(116, 52, 150, 0.26)", "rgba(24, 128, 140, 0.20)"],
  stars: ["#ffd9a8", "#a9c8ff", "#e9f0ff"],
  starlight: 1,
  floor: "rgba(70, 105, 170, 0.07)",
  minor: "rgba(140, 170, 220, 0.055)",
  major: "rgba(140, 170, 220, 0.16)",
  sector: "rgba(150, 178, 225, 0.22)",
  wall: "#a9c3f2",
  wallGlow: "rgba(120, 165, 255, 0.13)",
  hatch: "rgba(130, 160, 215, 0.2)",
  light: "lighter",
  body: "#0b1120",
  bright: "#ffffff",
  spark: "#fff1d6",
  ember: "#ffd9a0",
  flame: ["rgba(255, 96, 32, 0.5)", "rgba(255, 176, 64, 0.75)", "rgba(255, 244, 214, 0.95)"],
  halo: "rgba(7, 11, 20, 0.75)",
  own: "#f4f7fd",
  crown: "#ffd15c",
  map: { grid: "rgba(150, 178, 225, 0.14)", window: "rgba(190, 210, 245, 0.34)" },
};

const PAPER: Look = {
  theme: "light",
  sky: "#e9eff8",
  clouds: ["rgba(120, 165, 235, 0.34)", "rgba(190, 150, 225, 0.26)", "rgba(120, 205, 205, 0.26)"],
  stars: ["#b98a4a", "#6d8fc4", "#8b9cb8"],
  starlight: 0.75,
  floor: "rgba(255, 255, 255, 0.55)",
  minor: "rgba(40, 75, 130, 0.07)",
  major: "rgba(40, 75, 130, 0.20)",
  sector: "rgba(40, 75, 130, 0.30)",
  wall: "#33507f",
  wallGlow: "rgba(60, 105, 190, 0.14)",
  hatch: "rgba(50, 85, 140, 0.22)",
  light: "source-over",
  body: "#ffffff",
  bright: "#14203a",
  spark: "#c96a10",
  ember: "#e07a1a",
  flame: ["rgba(236, 92, 20, 0.55)", "rgba(246, 150, 40, 0.8)", "rgba(255, 214, 120, 0.95)"],
  halo: "rgba(244, 248, 255, 0.85)",
  own: "#101b30",
  crown: "#b27a00",
  map: { grid: "rgba(40, 75, 130, 0.16)", window: "rgba(30, 60, 110, 0.5)" },
};

let worn: Look = NIGHT;

/** The look of the page now. */
export function look(): Look {
  return worn;
}

/** Changes the look. What was painted in the old one stays as it is until it is painted again. */
export function wear(theme: Theme): void {
  worn = theme === "dark" ? NIGHT : PAPER;
}

/** The colour of a seat in the look of now. */
export function tint(seat: number): string {
  return colour(seat, worn.theme);
}
