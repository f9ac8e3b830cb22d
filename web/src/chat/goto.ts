// From a match that a queue has found to the page of its game, with what it needs to take the seat that waits there.

import type { Place } from "../shared/place.ts";

/** The page on which a game is played, and how its players come to it; undefined where it keeps no places. */
export function pageOf(game: string): { page: string; way: { kind: string } } | undefined {
  switch (game) {
    case "arena":
    case "cards":
      return { page: game, way: { kind: "players" } };
    case "crowd":
      return { page: "arena", way: { kind: "crowd" } };
    default:
      return undefined;
  }
}

/** Whether a queue of a game leads anywhere: into the rooms of the canvas one comes by their names alone. */
export function queued(game: string): boolean {
  return game !== "canvas";
}

/** The place that is noted for the page: its seat is still to be taken, by the ticket. */
export function placeOf(who: { name: string; token: string }, ticket: { id: string; room: string }, way: { kind: string }): Place<{ kind: string }> {
  return { ...who, room: ticket.room, code: "", ticket: ticket.id, way };
}
