// The ways into a match: against whoever is here, against bots, in the crowd, or with friends.

import type { CommonWay } from "../shared/form.ts";
import { asked } from "../shared/ways.ts";
import { MOST_BOTS } from "./world.ts";

export { isCode, tidyCode } from "../shared/code.ts";

/** How somebody wants to play. */
export type Way = CommonWay | { kind: "crowd" };

const FEW_BOTS = 8;

/** As many bots as a text says, within what a room takes; else a few. */
export function bots(text: string | null | undefined): number {
  const n = Number(text || Number.NaN);
  return Number.isInteger(n) && n >= 1 && n <= MOST_BOTS ? n : FEW_BOTS;
}

/** What an address asks for. */
export interface Wish {
  way: Way | undefined;
  /** At once, without the form. */
  go: boolean;
  /** With the instruments on. */
  overlay: boolean;
  /** The name of a bad network to simulate; "" for none. */
  sim: string;
  /** Own rooms are for everybody to join and watch. */
  open: boolean;
  /** How long the rounds of own rooms go, in seconds; 0 is the game's default. */
  round: number;
}

/** Reads the query of the page's address: go, way, bots, code, overlay, sim, public, round. */
export function wish(query: string): Wish {
  const q = new URLSearchParams(query);
  const on = (name: string) => q.get(name) === "1";
  const way = asked(q, bots, (kind) => (kind === "crowd" ? { kind: "crowd" as const } : undefined));
  return { ...way, overlay: on("overlay"), sim: q.get("sim") ?? "", open: on("public"), round: seconds(q.get("round")) };
}

function seconds(text: string | null): number {
  const n = Number(text || Number.NaN);
  return Number.isInteger(n) && n >= 10 && n <= 180 ? n : 0;
}
