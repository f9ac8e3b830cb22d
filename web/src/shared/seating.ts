// From a name to a seat: a guest's token, then a ticket and the wait for a match, or a room of one's own.

import { APIError, type Lobby, type MatchSeat, type Ticket, TicketError } from "@muster/client";
import { sentence } from "./sentence.ts";

/**
 * How to come to a seat: by a queue, in a room that is made for it (and what to say meanwhile; open is for everybody to
 * join and watch), or in that of a code.
 */
export type Plan = { queue: string } | { game: string; config: object; saying: string; open?: boolean } | { code: string };

/** A seat, and the code by which others come into the same room, where there is one. */
export interface Seated {
  seat: MatchSeat;
  code: string;
}

/** What a player is told while it takes a while. */
export type Say = (text: string) => void;

const TRIES = 4;
const LONGEST = 10_000; // ms that a server may ask to wait before it is tried again by itself

/** Lets some ms pass; rejects with what ends it. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

/**
 * Takes a seat. A server that is too busy is asked again a few times, when it says so. A wait that is aborted gives its
 * ticket back.
 */
export async function takeSeat(
  lobby: Lobby, name: string, plan: Plan, signal: AbortSignal, say: Say, pause: Pause = sleep,
): Promise<Seated> {
  for (let tries = 1; ; tries++) {
    try {
      return await takeOnce(lobby, name, plan, signal, say);
    } catch (error) {
      const busy = error instanceof APIError && error.status === 503 && error.retryAfterMs > 0 && error.retryAfterMs <= LONGEST;
      if (!busy || tries === TRIES) throw error;
      say(explain(error));
      await pause(error.retryAfterMs, signal);
    }
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

async function takeOnce(lobby: Lobby, name: string, plan: Plan, signal: AbortSignal, say: Say): Promise<Seated> {
  if ("queue" in plan) return { seat: await wait(lobby, name, plan.queue, signal, say), code: "" };
  return asGuest(lobby, name, signal, say, async () => {
    if ("code" in plan) {
      say(`Looking for room ${plan.code} …`);
      return { seat: await lobby.rooms.joinCode(plan.code, { signal }), code: plan.code };
    }
    say(plan.saying);
    const { match, room } = await lobby.rooms.create({ game: plan.game, config: plan.config, ...(plan.open && { public: true }) }, { signal });
    return { seat: match, code: room.code ?? "" };
  });
}

/** Waits in a queue, and says why. */
async function wait(lobby: Lobby, name: string, queue: string, signal: AbortSignal, say: Say): Promise<MatchSeat> {
  const ticket = await asGuest(lobby, name, signal, say, () => {
    say("Finding a match …");
    return lobby.createTicket(queue, { signal });
  });
  const since = performance.now();
  try {
    return await lobby.waitTicket(ticket.id, { signal, onWait: (t) => say(waiting(t, (performance.now() - since) / 1000)) });
  } catch (error) {
    // The server forgets tickets by itself in time; this only makes it sooner.
    if (signal.aborted) void lobby.cancelTicket(ticket.id).catch(() => undefined);
    throw error;
  }
}

/** What to say to who waits: why, where the server says so, and for how long already. */
export function waiting(ticket: Pick<Ticket, "reason"> | undefined, seconds: number): string {
  const why = ticket?.reason ? sentence(ticket.reason) : "Finding a match …";
  return seconds < 4 ? why : `${why} ${Math.round(seconds)} s`;
}

/** Does something as a player: as a new guest where there is no token, or where it is no longer good. */
async function asGuest<T>(lobby: Lobby, name: string, signal: AbortSignal, say: Say, act: () => Promise<T>): Promise<T> {
  for (let known = lobby.token !== ""; ; known = false) {
    if (!known) {
      say("Signing in …");
      lobby.token = "";
      await lobby.guest(name, { signal });
    }
    try {
      return await act();
    } catch (error) {
      if (!known || !(error instanceof APIError) || error.status !== 401) throw error;
    }
  }
}

/** Says in words what went wrong. */
export function explain(error: unknown): string {
  if (error instanceof APIError) return sentence(refusal(error));
  if (error instanceof TicketError) return error.state === "expired" ? "Nobody came to play in time." : sentence(error.message);
  // Browsers say no more than this of a server that does not answer.
  if (error instanceof TypeError && /fetch|network|load failed/i.test(error.message)) {
    return "The server does not answer. Is the network there?";
  }
  return sentence(error instanceof Error ? error.message : "");
}

/** What a problem document says: its detail, else its title, and the first field that was wrong. */
function refusal(error: APIError): string {
  const words = [error.detail || error.title || `the server answered ${error.status}`];
  const [field] = error.errors;
  if (field) words.push(field.message);
  if (error.retryAfterMs > 0) words.push(`try again in ${Math.ceil(error.retryAfterMs / 1000)} s`);
  return words.join(": ");
}

/** Says whether an error is only the abort that was asked for. */
export function aborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
