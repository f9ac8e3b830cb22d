import { APIError } from "./api_error.js";
import type { Placement } from "./from_server.js";
import { type Schedule, systemSchedule } from "./schedule.js";

/** A player that a development server made up. */
export interface Guest {
  token: string;
  player: string;
  /** RFC 3339. */
  expires_at: string;
}

/** A player's wish for a match. */
export interface Ticket {
  id: string;
  queue: string;
  state: "waiting" | "confirming" | "matched" | "cancelled" | "expired";
  created_at: string;
  /** Why it waits, or why it ended, for people. */
  reason?: string;
  /** The match that its players are asked to confirm, of a confirming one: see Lobby.confirmTicket. */
  confirm?: { players: number; accepted: number; mine: boolean; until: string };
  match?: MatchSeat;
}

/** A seat in a match: what Match.connect needs. Its token is good for one handshake, within seconds. */
export interface MatchSeat {
  room: string;
  url: string;
  token: string;
}

/** How a match ended. */
export interface Result {
  room: string;
  game: string;
  /** The last one. */
  tick: number;
  /** Best first. */
  placements: Placement[];
  ended_at: string;
}

/** That a ticket ended without a match. */
export class TicketError extends Error {
  override readonly name = "TicketError";
  readonly id: string;
  readonly state: string;

  constructor(id: string, state: string) {
    super(`ticket ${id} is ${state}`);
    this.id = id;
    this.state = state;
  }
}

/** Ends a call: its promise rejects with the signal's reason. */
export interface CallOptions {
  signal?: AbortSignal;
}

/** Who calls, and by what. */
export interface LobbyOptions {
  /** The player token; see Lobby.token. */
  token?: string;
  /** Makes the requests. Default: the platform's. */
  fetch?: typeof fetch;
  /** Calls a function after a time and returns what cancels that. Default setTimeout. */
  schedule?: Schedule;
}

const MOST_REPLY = 256 << 10; // bytes
const LONG_POLL = "10s";
const POLL_PAUSE_MS = 100; // the least time between two questions about a ticket

/**
 * Calls a lobby's REST interface as one player. Every call rejects with an APIError for a refusal, with what fetch
 * throws when the lobby cannot be reached, and with a TypeError for a reply that is none. Redirects are refused, so
 * that a token goes to the given address and to no other.
 */
export class Lobby {
  /** The player token; "" is nobody. guest sets it. */
  token: string;

  readonly #url: string;
  readonly #fetch: typeof fetch;
  readonly #schedule: Schedule;

  /** @param url the lobby's address, like "https://play.example.com" */
  constructor(url: string, options: LobbyOptions = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.token = options.token ?? "";
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#schedule = options.schedule ?? systemSchedule;
  }

  /** Asks a development server for a player of this name and takes its token. */
  async guest(name: string, o: CallOptions = {}): Promise<Guest> {
    const guest = await this.#call<Guest>("POST", "/v1/guests", o, ["token", "player"], { name });
    this.token = guest.token;
    return guest;
  }

  /** Queues for a match. */
  createTicket(queue: string, o: CallOptions = {}): Promise<Ticket> {
    return this.#call<Ticket>("POST", "/v1/tickets", o, ["id", "state"], { queue });
  }

  /**
   * Waits until a ticket is matched, and calls onWait each time the lobby says that it is not yet: also when its players
   * are asked to confirm a match, which is then to be done by confirmTicket. A ticket that ended otherwise rejects with a
   * TicketError.
   */
  async waitTicket(id: string, o: CallOptions & { onWait?: (t: Ticket) => void } = {}): Promise<MatchSeat> {
    for (let known = ""; ; ) {
      o.signal?.throwIfAborted();
      const pause = this.#pause(o.signal); // a lobby that does not wait must not be asked without end
      try {
        const t = await this.#call<Ticket>("GET", `/v1/tickets/${encodeURIComponent(id)}?wait=${LONG_POLL}${known}`, o, ["state"]);
        if (t.state === "matched" && t.match) return seatOf(t.match);
        if (t.state !== "waiting" && t.state !== "confirming") throw new TicketError(id, t.state);
        known = t.state === "confirming" ? "&known=confirming" : "";
        o.onWait?.(t);
        await pause.done;
      } finally {
        pause.cancel();
      }
    }
  }

  /** Confirms, or declines, the match that was found for a ticket. Who declines is out, and may not queue for a while. */
  confirmTicket(id: string, accept: boolean, o: CallOptions = {}): Promise<Ticket> {
    return this.#call<Ticket>("POST", `/v1/tickets/${encodeURIComponent(id)}/confirm`, o, ["state"], { accept });
  }

  /** Gives a ticket up. It does nothing to one that has ended. */
  async cancelTicket(id: string, o: CallOptions = {}): Promise<void> {
    await this.#call("DELETE", `/v1/tickets/${encodeURIComponent(id)}`, o, []);
  }

  /** Asks for a new seat token for a room in which the player has a seat. */
  async rejoin(room: string, o: CallOptions = {}): Promise<MatchSeat> {
    return seatOf(await this.#call<MatchSeat>("POST", `/v1/rooms/${encodeURIComponent(room)}/rejoin`, o, []));
  }

  /** How a match ended; an APIError with status 404 while it has not. */
  result(room: string, o: CallOptions = {}): Promise<Result> {
    return this.#call<Result>("GET", `/v1/matches/${encodeURIComponent(room)}`, o, ["room"]);
  }

  /** Makes one request. The reply is an object in which the wanted properties are strings. */
  async #call<T>(method: string, path: string, o: CallOptions, wanted: string[], body?: object): Promise<T> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (this.token) headers["Authorization"] = `Bearer ${this.token}`;
    const response = await this.#fetch(this.#url + path, {
      method,
      headers,
      redirect: "error",
      ...(body && { body: JSON.stringify(body) }),
      ...(o.signal && { signal: o.signal }),
    });
    const reply = await readJSON(response);
    if (!response.ok) throw new APIError(response.status, reply, response.headers.get("Retry-After"));
    for (const name of wanted) {
      if (typeof (reply as Record<string, unknown> | undefined)?.[name] !== "string") {
        throw new TypeError(`the lobby's reply to ${method} ${path} has no ${name}`);
      }
    }
    return reply as T;
  }

  #pause(signal: AbortSignal | undefined): { done: Promise<void>; cancel: () => void } {
    let cancelTimer = () => {};
    let abort = () => {};
    const done = new Promise<void>((resolve, reject) => {
      cancelTimer = this.#schedule(resolve, POLL_PAUSE_MS);
      abort = () => reject(signal?.reason);
    });
    done.catch(() => {}); // it may be that nobody gets to wait for it
    signal?.addEventListener("abort", abort);
    const cancel = () => {
      cancelTimer();
      signal?.removeEventListener("abort", abort);
    };
    return { done, cancel };
  }
}

function seatOf({ room, url, token }: MatchSeat): MatchSeat {
  if (typeof room !== "string" || typeof url !== "string" || typeof token !== "string") {
    throw new TypeError("the lobby's reply is no seat");
  }
  return { room, url, token };
}

/** Reads a reply up to its bound; undefined where it is not JSON. */
async function readJSON(response: Response): Promise<unknown> {
  const reader = response.body?.getReader();
  const text = new TextDecoder();
  let json = "";
  for (let n = 0; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    n += value.length;
    if (n > MOST_REPLY) {
      await reader.cancel();
      throw new TypeError(`the lobby's reply has more than ${MOST_REPLY} bytes`);
    }
    json += text.decode(value, { stream: true });
  }
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
