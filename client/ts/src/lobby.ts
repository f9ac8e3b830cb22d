import { APIError, isFinal, retryAfterMs } from "./api_error.js";
import { Live, type LiveOptions } from "./live.js";
import { parties, rooms, seatOf, text } from "./lobby_groups.js";
import type {
  Explanation, Guest, MatchSeat, Me, NewTicket, PlayedMatches, Queue, Result, Ticket,
} from "./lobby_types.js";
import type { Routes } from "./lobby_routes.js";
import { MalformedError } from "./reader.js";
import { type Schedule, systemSchedule } from "./schedule.js";
import { type SocketFactory, systemSocket } from "./socket.js";

export type { MatchSeat } from "./lobby_types.js";

/** That a ticket ended without a match. */
export class TicketError extends Error {
  override readonly name = "TicketError";
  readonly id: string;
  readonly state: string;
  /** Why, for people; "" when the lobby did not say. */
  readonly reason: string;

  constructor(id: string, state: string, reason = "") {
    super(`ticket ${id} is ${state}${reason && `: ${reason}`}`);
    this.id = id;
    this.state = state;
    this.reason = reason;
  }
}

/** Ends a call: its promise rejects with the signal's reason. */
export interface CallOptions {
  signal?: AbortSignal;
}

/** Of a call that creates something: the same call with the same key, made again, creates nothing more. */
export interface CreateOptions extends CallOptions {
  /** 1 to 64 printable ASCII characters. */
  key?: string;
}

/** Who calls, and by what. */
export interface LobbyOptions {
  /** The player token; see Lobby.token. */
  token?: string;
  /** Called for a newer token of the player, by Lobby.refresh. guest brings its own. */
  refresh?: () => Promise<string>;
  /** Makes the requests. Default: the platform's. */
  fetch?: typeof fetch;
  /** Opens sockets, for live. Default: the WebSocket of the platform, which Node has from version 22. */
  webSocket?: SocketFactory;
  /** Calls a function after a time and returns what cancels that. Default setTimeout. */
  schedule?: Schedule;
  /** A steady clock in milliseconds. Default performance.now. */
  now?: () => number;
  /** From 0 to 1, for the jitter of trying again. Default Math.random. */
  random?: () => number;
}

const MOST_REPLY = 256 << 10; // bytes
const ANSWER_MS = 30_000; // for a whole reply, a long poll's too
const LONG_POLL = "10s";
const POLL_MS = 15_000; // for the answer to one; a connection on which none comes is given up
const POLL_PAUSE_MS = 100; // the least time between two questions about a ticket
const TRY_FOR_MS = 30_000; // after the first failure a ticket is asked for while the lobby does not answer,
const AGAIN_MS = 2_000; // each time within so long

/**
 * Calls a lobby as one player. Every call rejects with an APIError for a refusal, with what fetch throws when the lobby
 * cannot be reached, and with a MalformedError for a reply that is none. When the token has ended, a call asks once for
 * a newer one and is made again. Redirects are refused, so that a token goes to the given address and to no other.
 */
export class Lobby {
  /** The player token; "" is nobody. guest and refresh set it. */
  token: string;
  /** The player's party. */
  readonly parties = parties(this);
  readonly rooms = rooms(this);

  readonly #url: string;
  readonly #o: Required<Omit<LobbyOptions, "token" | "refresh">>;
  #newer: (() => Promise<string>) | undefined;
  #refreshing: Promise<string> | undefined;

  /** @param url the lobby's address, like "https://play.example.com" */
  constructor(url: string, options: LobbyOptions = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.token = options.token ?? "";
    this.#newer = options.refresh;
    this.#o = {
      fetch: (input, init) => fetch(input, init),
      webSocket: systemSocket,
      schedule: systemSchedule,
      now: () => performance.now(),
      random: Math.random,
      ...options,
    };
  }

  /**
   * Becomes a guest of a development server, whose token is renewed from then on. With the token of an earlier guest,
   * kept by the program, it goes on as that one if the server lets it: up to a week after the token's end.
   */
  async guest(name: string, o: CallOptions & { token?: string | undefined } = {}): Promise<Guest> {
    const became = (guest: Guest) => {
      this.token = text(guest, "token");
      this.#newer = async () => (await renew(this.token, {})).token;
      return guest;
    };
    const renew = async (token: string, o: CallOptions) => became(await this.#once("POST /v1/guests/renew", { token }, o));
    if (o.token) {
      try {
        return await renew(o.token, o);
      } catch (e) {
        if (!isFinal(e)) throw e;
      }
    }
    return became(await this.#once("POST /v1/guests", { name }, o));
  }

  /** Gets a newer token and returns it. For the option refresh of Match.connect, too. One is asked for at a time. */
  refresh(): Promise<string> {
    return this.#refreshing ??= (async () => {
      const token = await this.#newer?.();
      if (typeof token !== "string" || !token) throw new TypeError("no newer token");
      return this.token = token;
    })().finally(() => this.#refreshing = undefined);
  }

  /**
   * Queues for a match and waits for it, as createTicket and waitTicket do; onProgress hears how the ticket is meanwhile.
   * When the wait ends otherwise, so does the ticket.
   */
  async play(queue: string | NewTicket, o: CreateOptions & { onProgress?: (t: Ticket) => void } = {}): Promise<MatchSeat> {
    const { signal, onProgress, ...create } = o;
    signal?.throwIfAborted();
    const making = this.createTicket(queue, create); // to its end, since what is under way may be taken
    try {
      const ticket = await (signal ? unlessAborted(making, signal) : making);
      onProgress?.(ticket);
      return await this.waitTicket(ticket.id, { ...o, onWait: onProgress });
    } catch (e) {
      if (!(e instanceof TicketError)) making.then((t) => this.cancelTicket(t.id)).catch(() => {}); // else it ends in time
      throw e;
    }
  }

  /** Queues for a match, alone or with the player's party. */
  async createTicket(queue: string | NewTicket, o?: CreateOptions): Promise<Ticket> {
    const t = await this.request("POST /v1/tickets", typeof queue === "string" ? { queue } : queue, o);
    text(t, "id");
    return t;
  }

  /**
   * Waits until a ticket is matched, and calls onWait each time the lobby says that it is not yet: also when its players
   * are asked to confirm a match, which is then to be done by confirmTicket. A ticket that ended otherwise rejects with a
   * TicketError. A lobby that does not answer, or has too much to do, is asked again for 30 s.
   */
  async waitTicket(id: string, o: CallOptions & { onWait?: ((t: Ticket) => void) | undefined } = {}): Promise<MatchSeat> {
    const { now, random } = this.#o;
    let known: "waiting" | "confirming" = "waiting";
    let failing: number | undefined; // since when
    for (;;) {
      let wait = now() + POLL_PAUSE_MS; // a lobby that does not wait must not be asked without end
      const { signal, cancel } = this.#end(POLL_MS, o.signal);
      const asking: Promise<Ticket> = this.request("GET /v1/tickets/{id}", { id, wait: LONG_POLL, known }, { signal });
      const t: Ticket | void = await asking.finally(cancel).catch((e: unknown) => {
        failing ??= now();
        if (o.signal?.aborted || isFinal(e) || e instanceof MalformedError || now() - failing >= TRY_FOR_MS) throw e;
        wait = now() + retryAfterMs(e) + AGAIN_MS * random(); // so that many who lost one lobby do not come back as one
      });
      if (t) {
        if (t.state === "matched" && t.match) return seatOf(t.match);
        if (t.state !== "waiting" && t.state !== "confirming") throw new TicketError(id, text(t, "state"), t.reason);
        known = t.state;
        failing = undefined;
        o.onWait?.(t);
      }
      await this.#pause(wait - now(), o.signal);
    }
  }

  /** Why a ticket waits: what the queue's rules ask, and how many players each keeps away. */
  explain(ticket: string, o?: CallOptions): Promise<Explanation> {
    return this.request("GET /v1/tickets/{id}/explain", { id: ticket }, o);
  }

  /** Confirms, or declines, the match that was found for a ticket. Who declines is out, and may not queue for a while. */
  confirmTicket(id: string, accept: boolean, o?: CallOptions): Promise<Ticket> {
    return this.request("POST /v1/tickets/{id}/confirm", { id, accept }, o);
  }

  /** Gives a ticket up. It does nothing to one that has ended. */
  async cancelTicket(id: string, o?: CallOptions): Promise<void> {
    await this.request("DELETE /v1/tickets/{id}", { id }, o);
  }

  /** Asks for a new seat token for a room in which the player has a seat. */
  async rejoin(room: string, o?: CallOptions): Promise<MatchSeat> {
    return seatOf(await this.request("POST /v1/rooms/{id}/rejoin", { id: room }, o));
  }

  /** How a match ended; an APIError with status 404 while it has not. */
  result(room: string, o?: CallOptions): Promise<Result> {
    return this.request("GET /v1/matches/{id}", { id: room }, o);
  }

  /** How the queues do. */
  async queues(o?: CallOptions): Promise<Queue[]> {
    return (await this.request("GET /v1/queues", {}, o)).queues;
  }

  /** The player's own profile, ratings, tickets and party. */
  me(o?: CallOptions): Promise<Me> {
    return this.request("GET /v1/me", {}, o);
  }

  /** The matches that the player played to their end, the newest first. */
  matches(page: Routes["GET /v1/me/matches"]["args"] = {}, o?: CallOptions): Promise<PlayedMatches> {
    return this.request("GET /v1/me/matches", page, o);
  }

  /** Opens the lobby's socket: what happens to the player, chat, and who is there. Resolves when the lobby has said hello. */
  live(o: LiveOptions = {}): Promise<Live> {
    return new Promise((resolve, reject) => new Live({
      ...this.#o, lobby: this, url: this.#url.replace(/^http/, "ws") + "/v1/lobby", refresh: this.#newer && (() => this.refresh()),
    }, o, { resolve, reject }));
  }

  /**
   * Makes any request of the REST interface. args are what the route takes, by name: request("PUT /v1/me", { status: "hi" }).
   * The reply is the lobby's word.
   */
  async request<R extends keyof Routes>(route: R, args: Routes[R]["args"], o: CreateOptions = {}): Promise<Routes[R]["reply"]> {
    const used = this.token;
    try {
      return await this.#once(route, args, o);
    } catch (e) {
      if (!used || !this.#newer || !(e instanceof APIError) || e.status !== 401) throw e;
      try {
        if (this.token === used) await this.refresh(); // else another call has
      } catch (cause) {
        e.cause = cause;
        throw e;
      }
    }
    return this.#once(route, args, o);
  }

  async #once<R extends keyof Routes>(route: R, args: Routes[R]["args"], o: CreateOptions): Promise<Routes[R]["reply"]> {
    o.signal?.throwIfAborted();
    const [method, template] = route.split(" ") as [string, string];
    const rest: Record<string, unknown> = { ...args };
    let path = template.replace(/{(\w+)}/g, (_, name: string) => {
      const value = encodeURIComponent(String(rest[name]));
      delete rest[name];
      return value;
    });
    const headers: Record<string, string> = {};
    if (this.token) headers["Authorization"] = `Bearer ${this.token}`;
    if (o.key) headers["Idempotency-Key"] = o.key;
    const init: RequestInit = { method, headers, redirect: "error" };
    if (method[0] === "P") { // POST, PUT, PATCH
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(rest);
    } else {
      for (const [name, value] of Object.entries(rest)) {
        for (const v of [value].flat()) {
          if (v !== undefined) path += `${path.includes("?") ? "&" : "?"}${name}=${encodeURIComponent(String(v))}`;
        }
      }
    }
    const end = this.#end(ANSWER_MS, o.signal);
    init.signal = end.signal;
    try {
      const response = await this.#o.fetch(this.#url + path, init);
      const reply = await readJSON(response);
      if (!response.ok) throw new APIError(response.status, reply, response.headers.get("Retry-After"));
      if (response.status !== 204 && (typeof reply !== "object" || !reply)) {
        throw new MalformedError(`the reply to ${route} is no object`);
      }
      return reply as Routes[R]["reply"];
    } finally {
      end.cancel();
    }
  }

  /** A signal that comes after a time, or with another one, until it is cancelled. */
  #end(ms: number, outer: AbortSignal | undefined) {
    const abort = new AbortController();
    const stop = () => abort.abort(outer?.reason);
    outer?.addEventListener("abort", stop);
    if (outer?.aborted) stop();
    const cancelTimer = this.#o.schedule(() => abort.abort(new Error("the lobby does not answer")), ms);
    const cancel = () => {
      cancelTimer();
      outer?.removeEventListener("abort", stop);
    };
    return { signal: abort.signal, cancel };
  }

  async #pause(ms: number, outer: AbortSignal | undefined): Promise<void> {
    outer?.throwIfAborted();
    const { signal, cancel } = this.#end(ms, outer);
    await new Promise((resolve) => (signal.onabort = resolve));
    cancel();
    outer?.throwIfAborted();
  }
}

/** What a promise brings, if its signal does not come first. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
    promise.finally(() => signal.removeEventListener("abort", stop)).then(resolve, reject);
  });
}

/** Reads a reply up to its bound; undefined where it is not JSON. */
async function readJSON(response: Response): Promise<unknown> {
  const reader = response.body?.getReader();
  const utf8 = new TextDecoder();
  let json = "";
  for (let n = 0; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    n += value.length;
    if (n > MOST_REPLY) {
      await reader.cancel();
      throw new MalformedError(`a reply of more than ${MOST_REPLY} bytes`);
    }
    json += utf8.decode(value, { stream: true });
  }
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
