// From a name to a seat: a guest's token, a ticket, and the wait for a match.

import { APIError, type Lobby, type MatchSeat, type Ticket, TicketError } from "@muster/client";
import { QUEUE } from "./world.ts";

/** What a player is told while it takes a while. */
export type Say = (text: string) => void;

/** Takes a seat in a match. A wait that is aborted gives its ticket back. */
export async function takeSeat(lobby: Lobby, name: string, signal: AbortSignal, say: Say): Promise<MatchSeat> {
  const ticket = await takeTicket(lobby, name, signal, say);
  const since = performance.now();
  try {
    return await lobby.waitTicket(ticket.id, {
      signal,
      onWait: () => {
        const seconds = Math.round((performance.now() - since) / 1000);
        say(seconds < 4 ? "Finding a match …" : `Finding a match … ${seconds} s`);
      },
    });
  } catch (error) {
    // The server forgets tickets by itself in time; this only makes it sooner.
    if (signal.aborted) void lobby.cancelTicket(ticket.id).catch(() => undefined);
    throw error;
  }
}

/** Takes a ticket, as a new guest where there is no token or where it is no longer good. */
async function takeTicket(lobby: Lobby, name: string, signal: AbortSignal, say: Say): Promise<Ticket> {
  for (let known = lobby.token !== ""; ; known = false) {
    if (!known) {
      say("Signing in …");
      lobby.token = "";
      await lobby.guest(name, { signal });
    }
    say("Finding a match …");
    try {
      return await lobby.createTicket(QUEUE, { signal });
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

function sentence(text: string): string {
  if (!text) return "Something went wrong, and nobody said what.";
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}

/** Says whether an error is only the abort that was asked for. */
export function aborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
