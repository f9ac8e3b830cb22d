// The ways to a table: with bots at once, with whoever is here, or with friends by a code.

import type { CommonWay } from "../shared/form.ts";
import type { Plan } from "../shared/seating.ts";
import { asked } from "../shared/ways.ts";
import { GAME, MOST_BOTS } from "./world.ts";

/** How somebody wants to play. */
export type Way = CommonWay;

const PATIENCE = 600; // seconds that a table of friends waits before it deals by itself

/** What an address asks for. */
export interface Wish {
  way: Way | undefined;
  /** At once, without the form. */
  go: boolean;
  /** What own tables are created with besides: points to play for, seconds of a turn. */
  config: { target?: number; turn_seconds?: number };
}

/** As many bots as a text says, within what a table takes; else all. */
export function bots(text: string | null | undefined): number {
  return whole(text ?? null, 1, MOST_BOTS) ?? MOST_BOTS;
}

/** Reads the query of the page's address: go, way, bots, code, target, turn. */
export function wish(query: string): Wish {
  const q = new URLSearchParams(query);
  const config: Wish["config"] = {};
  const [target, turn] = [whole(q.get("target"), 10, 500), whole(q.get("turn"), 5, 120)];
  if (target !== undefined) config.target = target;
  if (turn !== undefined) config.turn_seconds = turn;
  return { ...asked(q, bots), config };
}

function whole(text: string | null, least: number, most: number): number | undefined {
  const n = Number(text || Number.NaN);
  return Number.isInteger(n) && n >= least && n <= most ? n : undefined;
}

/** How a way leads to a seat. */
export function plan(way: Way, config: Wish["config"]): Plan {
  switch (way.kind) {
    case "players":
      return { queue: GAME };
    case "bots":
      return { game: GAME, config: { bots: way.bots, ...config }, saying: "Waking the bots …" };
    case "friends":
      return way.code ? { code: way.code } : { game: GAME, config: { gather_seconds: PATIENCE, ...config }, saying: "Laying a table …" };
  }
}
