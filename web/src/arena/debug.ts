// A hook for tests and for the curious: what the page shows, to read and not to change, and nothing secret.
//
//   muster.screen       what is on the screen: "join", "game", "message"
//   muster.state        the match's: "connecting", "playing", "reconnecting", "closed"; "" without one
//   muster.ready        whether a round is on the screen and the link is up
//   muster.seat         the own seat, 0 without one
//   muster.room         the room, "" without one
//   muster.tick         the newest tick that was received, and muster.epoch, which names it together with it
//   muster.shownTick    the tick of the ships that are drawn, with its fraction
//   muster.seats        the seats of all ships that are drawn
//   muster.ship(seat)   where a ship is drawn (the own one without a seat): x, y in units and its angle; undefined when
//                       there is none
//   muster.ships()      the same of all, with their seats, hp
//   muster.prediction   what the own prediction counts; undefined without one
//   muster.stats        what the match counts; undefined without one
//   muster.fps          pictures a second, smoothed

import type { MatchStats, PredictionStats } from "@muster/client";
import type { Pose } from "./pose.ts";
import { hook } from "../shared/hook.ts";

export interface Snapshot {
  state: string;
  ready: boolean;
  seat: number;
  room: string;
  tick: number;
  epoch: number;
  shownTick: number;
  seats: number[];
  fps: number;
  prediction: Readonly<PredictionStats> | undefined;
  stats: Readonly<MatchStats> | undefined;
  ship(seat?: number): Pose | undefined;
  ships(): (Pose & { seat: number; hp: number })[];
}

const NONE: Snapshot = {
  state: "", ready: false, seat: 0, room: "", tick: 0, epoch: 0, shownTick: 0, seats: [], fps: 0, prediction: undefined,
  stats: undefined, ship: () => undefined, ships: () => [],
};

declare global {
  interface Window {
    readonly muster: Readonly<Snapshot> & { readonly screen: string };
  }
}

/** Puts the hook on the window. read gives the game that is played, if any. */
export function expose(read: () => Snapshot | undefined, screen: () => string): void {
  const names = [...(Object.keys(NONE) as (keyof Snapshot)[]), "screen" as const];
  hook<Snapshot & { screen: string }>(names, () => ({ ...(read() ?? NONE), screen: screen() }));
}
