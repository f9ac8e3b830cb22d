// A hook for tests and for the curious: what the page shows, to read and not to change, and nothing secret.
//
//   muster.screen     what is on the screen: "join", "table", "result", "message"
//   muster.state      the match's: "connecting", "playing", "reconnecting", "closed"; "" without one
//   muster.ready      whether a table is on the screen and the link is up
//   muster.seat       the own seat, 0 without one
//   muster.room       the room, "" without one
//   muster.tick       the newest tick that was received
//   muster.phase      the round's: "Waiting", "Playing", "Scored", "Over"; "" without one
//   muster.round      its number
//   muster.turn       the seat that is to act
//   muster.hand       the own cards, as "Seven Hearts", and muster.playable, those of them that fit now
//   muster.top        the pile's uppermost card
//   muster.chairs     who sits here: seat, name, cards, score, bot, away
//   muster.stats      what the match counts; undefined without one

import type { MatchStats } from "@muster/client";
import { hook } from "../shared/hook.ts";

export interface Snapshot {
  state: string;
  ready: boolean;
  seat: number;
  room: string;
  tick: number;
  phase: string;
  round: number;
  turn: number;
  hand: string[];
  playable: string[];
  top: string;
  chairs: { seat: number; name: string; cards: number; score: number; bot: boolean; away: boolean }[];
  stats: Readonly<MatchStats> | undefined;
}

const NONE: Snapshot = {
  state: "", ready: false, seat: 0, room: "", tick: 0, phase: "", round: 0, turn: 0, hand: [], playable: [], top: "", chairs: [],
  stats: undefined,
};

/** Puts the hook on the window. read gives the game that is played, if any. */
export function expose(read: () => Snapshot | undefined, screen: () => string): void {
  const names = [...(Object.keys(NONE) as (keyof Snapshot)[]), "screen" as const];
  hook<Snapshot & { screen: string }>(names, () => ({ ...(read() ?? NONE), screen: screen() }));
}
