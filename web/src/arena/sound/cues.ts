// The sounds that no happening in space makes: the round's, and the own gun's.

import type { Round } from "../world.ts";
import type { Voice } from "./voices.ts";

const LAST = 5; // seconds that are counted aloud

/** What a cue follows from. */
export interface Moment {
  phase: Round["Phase"];
  /** Whole seconds until the phase ends, rounded up. */
  left: number;
  /** Whether the own seat has won, on the podium. */
  won: boolean;
  jammed: boolean;
}

/** The sounds of going from one moment to the next; before the first one there is none. */
export function cues(before: Moment | undefined, now: Moment): Voice[] {
  const list: Voice[] = [];
  if (!before) return list;
  if (now.phase !== before.phase) {
    if (now.phase === "Playing") list.push("start");
    if (now.phase === "Podium") list.push(now.won ? "win" : "end");
  } else if (now.phase === "Playing" && now.left !== before.left && now.left >= 1 && now.left <= LAST) {
    list.push("tick");
  }
  if (now.jammed && !before.jammed) list.push("jam");
  return list;
}
