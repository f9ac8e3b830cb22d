// One who plays on this page: the lobby as them, a seat, and the way back to it.

import { APIError, Lobby, TicketError } from "@muster/client";
import { keepGuest } from "./guest.ts";
import { pause } from "./pause.ts";
import type { Place } from "./place.ts";
import type { Say, Seated } from "./seating.ts";

const MOST_FAILED = 3; // matches that are over before they begin

/** What a match leads to, and whether it was ever on the screen. */
export interface Played<Outcome> {
  next: Outcome;
  played: boolean;
}

export class Visit {
  /** The lobby, with the token of who plays. */
  lobby = new Lobby(location.origin);
  /** Of the room that is played in, for friends. */
  code = "";
  #player = ""; // whose token the lobby has
  #ticket = ""; // by which another page has found the seat

  /** Somebody begins to play, in a seat that may still be held, if there is one. Another name is another player. */
  async begin(name: string, first: Place<{ kind: string }> | undefined, signal: AbortSignal): Promise<void> {
    if (name !== this.#player) this.lobby = new Lobby(location.origin);
    this.#player = name;
    this.code = first?.code ?? "";
    this.#ticket = first?.ticket ?? "";
    if (first) await this.lobby.guest(name, { token: first.token, signal });
  }

  /** Comes to a seat after an outcome: the one that is still held in a lost room, else what take takes. */
  async seat(after: { kind: string; afterMs?: number; room?: string }, take: () => Promise<Seated>, signal: AbortSignal, say: Say): Promise<Seated> {
    if (after.afterMs) await pause(after.afterMs, signal);
    const seated = await (after.kind === "lost" && after.room ? this.#backTo(after.room, take, signal, say) : take());
    this.code = seated.code;
    keepGuest({ name: this.#player, token: this.lobby.token });
    say("Taking your seat …");
    return seated;
  }

  /** Where somebody sits now, to find back after a reload. */
  place<Way extends { kind: string }>(room: string, way: Way): Place<Way> {
    return { name: this.#player, token: this.lobby.token, room, code: this.code, way };
  }

  async #backTo(room: string, take: () => Promise<Seated>, signal: AbortSignal, say: Say): Promise<Seated> {
    const ticket = this.#ticket;
    this.#ticket = "";
    say(ticket ? "Going to your match …" : "Going back to your seat …");
    try {
      return { seat: await (ticket ? this.lobby.waitTicket(ticket, { signal }) : this.lobby.rejoin(room, { signal })), code: this.code };
    } catch (error) {
      if (!(error instanceof TicketError) && (!(error instanceof APIError) || error.temporary)) throw error;
      return take();
    }
  }
}

/** Plays matches one after the other, each after the outcome of the one before, until one has an outcome that is the last. */
export async function matches<Outcome>(
  first: Outcome, play: (after: Outcome) => Promise<Played<Outcome>>, last: (outcome: Outcome) => boolean,
): Promise<Outcome> {
  let failed = 0;
  for (let after = first; ; ) {
    const { next, played } = await play(after);
    if (last(next)) return next;
    failed = played ? 0 : failed + 1;
    if (failed >= MOST_FAILED) throw new Error("The server gives seats, but nobody is there to take them.");
    after = next;
  }
}
