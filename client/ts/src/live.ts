import { APIError, isFinal, retryAfterMs } from "./api_error.js";
import { CloseError, type CloseInfo, closeInfo, type Ended, ended } from "./close.js";
import { CODE_LOST } from "./codes.js";
import type { Channel, LiveHello, LiveRequests, LiveTells, Presence } from "./live_types.js";
import type { ChatEvent, ChatMessage, History, LobbyEvent } from "./lobby_types.js";
import { Callbacks, type Undo } from "./match_callbacks.js";
import { BEARER_PREFIX } from "./protocol.js";
import { Retry } from "./retry.js";
import type { Schedule } from "./schedule.js";
import type { Lobby } from "./lobby.js";
import { text } from "./lobby_groups.js";
import type { SocketFactory } from "./socket.js";

const SUBPROTOCOL = "muster.lobby.v1";
const MOST_MESSAGE = 1 << 20; // characters of one of the lobby's
const MOST_REQUEST = 8 << 10; // bytes of one of ours
const MOST_WAITING = 32; // requests that are not answered; a lobby takes 40 at once
const ANSWER_MS = 30_000; // for an answer, over all sockets
const ATTEMPT_MS = 10_000; // for a socket's opening and hello
const PING_MS = 15_000; // without a word of the lobby, which is then asked
const STEADY_MS = 5_000; // a socket that lived so long was a good one
const TOKEN_EXPIRED = 4205;

/** Live is open, or its socket was lost and is opened again, or it is closed for good. */
export type LiveState = "open" | "reconnecting" | "closed";

/** Where Live begins. */
export interface LiveOptions {
  /** The place after the last event that the program has dealt with: Live.last of another time. "" or none: all is told that is kept. */
  after?: string | undefined;
}

/** What Live needs of its lobby. */
export interface LiveHost {
  lobby: Lobby;
  url: string;
  /** Gets a newer token; undefined where there is no way to. */
  refresh: (() => Promise<string>) | undefined;
  webSocket: SocketFactory;
  schedule: Schedule;
  now: () => number;
  random: () => number;
}

/** A request that is not answered yet. */
interface Waiting {
  json: string;
  done(error: unknown, answer?: unknown): void;
}

/**
 * The lobby's socket, as one player. A lost one is opened again until close is called or the lobby refuses for good, and
 * goes on after the last event: none is missed, and none told twice. Requests that were not answered are made again
 * there. An error that a listener throws surfaces as an uncaught one.
 */
export class Live {
  /** What the lobby said when the newest socket was opened. */
  hello!: LiveHello;
  /** The place after the last event that was told: for a program that keeps it, and gives it to another live as after. */
  last: string;

  readonly #host: LiveHost;
  readonly #retry: Retry;
  readonly #listeners = new Callbacks();
  readonly #waiting = new Map<number, Waiting>();
  #state: LiveState = "reconnecting";
  #ws: WebSocket | undefined;
  #n = 0;
  #watched: readonly string[] = [];
  #first: { resolve(v: Live): void; reject(e: unknown): void } | undefined;
  #turn: Promise<void> | undefined; // in which the program can begin to listen
  #before: (() => Promise<unknown>) | undefined; // what is done before the next socket is opened
  #doubted = false; // whether the token was looked at
  #openedAt = -Infinity;
  #cancelTimer = () => {}; // of the present socket's silence, or of the wait for the next
  #cancelRewatch = () => {}; // on the present socket

  /** @internal Lobby.live makes it, and hears by first when it is open, or why it is not. */
  constructor(host: LiveHost, o: LiveOptions, first: { resolve(v: Live): void; reject(e: unknown): void }) {
    this.#host = host;
    this.#first = first;
    this.last = o.after ?? "";
    this.#retry = new Retry(host.random, Infinity);
    this.#retry.begin(closeInfo(CODE_LOST), host.now());
    this.#open();
  }

  /** Whether the socket is open now; "state" tells of changes. */
  get state(): LiveState {
    return this.#state;
  }

  /**
   * Listens: to a kind of event, to "event" for all of them, or to what happens to the socket. What is returned undoes it.
   * Listeners that are added right after live() has resolved hear everything.
   */
  on<K extends keyof LiveTells>(what: K, listener: (...args: LiveTells[K]) => void): Undo {
    return this.#listeners.add(what, listener as (...args: never[]) => void);
  }

  /** Says whom to watch, in the place of those before: at most 200. Their states are told as "presence", now and as they change. */
  async watch(players: readonly string[]): Promise<void> {
    await this.ask("presence.watch", { players });
    this.#watched = players;
  }

  readonly chat = {
    /** Writes a message: once, however often its socket is lost, and once for a key, which is for the same message sent again. */
    send: (channel: Channel, text: string, key = `${this.#host.random()}-${this.#n}`): Promise<ChatMessage> =>
      this.ask("chat.send", { channel, text, key }),
    /** Reads what was written, the newest first. The next page has `next` as before; the last one has none. */
    history: (channel: Channel, page: Omit<LiveRequests["chat.history"]["body"], "channel"> = {}): Promise<History> =>
      this.ask("chat.history", { ...page, channel }),
  };

  /**
   * Makes a request on the socket. A refusal is an APIError; a CloseError says that Live was closed, or that no answer
   * came within 30 s, and a RangeError that the request is too long or too many wait.
   */
  async ask<R extends keyof LiveRequests>(request: R, body: LiveRequests[R]["body"]): Promise<LiveRequests[R]["ok"]> {
    const n = ++this.#n;
    const json = JSON.stringify({ n, do: request, body });
    if (new TextEncoder().encode(json).length > MOST_REQUEST || this.#waiting.size >= MOST_WAITING) {
      throw new RangeError(`${request} is too long, or too much waits`);
    }
    const failed = (reason: string) => new CloseError(request, closeInfo(CODE_LOST, reason));
    if (this.#state === "closed") throw failed("closed");
    return new Promise((resolve, reject) => {
      const done = (error: unknown, answer?: unknown) => {
        cancel();
        this.#waiting.delete(n);
        if (error) reject(error);
        else resolve(answer as LiveRequests[R]["ok"]); // the lobby's word
      };
      const cancel = this.#host.schedule(() => done(failed("no answer")), ANSWER_MS);
      this.#waiting.set(n, { json, done });
      if (this.#state === "open") this.#ws?.send(json);
    });
  }

  /** Closes the socket for good. */
  close(): void {
    this.#finish(closeInfo(1000, "closed by this client"));
  }

  /** Opens a socket, once the token is known to be good where that is in doubt. */
  #attempt(): void {
    const before = this.#before;
    this.#before = undefined;
    if (!before) return this.#open();
    before().then(() => this.#open(), (e: unknown) => {
      this.#before = before;
      if (isFinal(e)) this.#finish(closeInfo(TOKEN_EXPIRED, (e as Error).message), e);
      else this.#again(ended(CODE_LOST, "", retryAfterMs(e)), e);
    });
  }

  #open(): void {
    if (this.#state === "closed") return;
    let ws: WebSocket;
    try {
      ws = this.#host.webSocket(this.#host.url, [SUBPROTOCOL, BEARER_PREFIX + this.#host.lobby.token]);
    } catch (e) {
      return this.#again(ended(CODE_LOST), e);
    }
    this.#ws = ws;
    const lost = (code: number, reason?: string) => {
      if (this.#ws === ws) this.#lost(ended(code || CODE_LOST, reason));
    };
    ws.onopen = () => ws.send(JSON.stringify({ do: "hello", body: { after: this.last } }));
    ws.onmessage = ({ data }) => {
      const read = () => {
        if (this.#ws === ws) this.#message(data);
      };
      if (data.length > MOST_MESSAGE) lost(1009);
      else if (this.#turn) void this.#turn.then(read);
      else read();
    };
    ws.onclose = (e) => lost(e.code, e.reason);
    ws.onerror = () => {
      if (this.#state !== "open") lost(CODE_LOST); // else its close says more
    };
    this.#watchSilence(ATTEMPT_MS);
  }

  /** Asks a lobby that says nothing whether it is there, and gives a socket up on which it does not answer. */
  #watchSilence(ms: number): void {
    this.#after(ms, () => {
      if (ms === ATTEMPT_MS) return this.#lost(ended(CODE_LOST, "the lobby is silent"));
      this.#ws?.send(`{"n":${++this.#n},"do":"ping"}`);
      this.#watchSilence(ATTEMPT_MS);
    });
  }

  /** Acts on one message. What throws here is what a malformed one lacks. */
  #message(json: string): void {
    try {
      const m = JSON.parse(json) as Message;
      const { bye, event, published } = m;
      if (bye) return this.#lost(ended(+bye.code! || CODE_LOST, bye.reason, +bye.after_ms! || 0));
      if (m.hello) this.#welcomed(m.hello);
      if (this.#state !== "open") return;
      this.#watchSilence(PING_MS);
      if (m.missed) {
        this.last = text(m, "last");
        this.#tell("missed");
      }
      if (published) this.#tell(text(published, "kind") as "x.", published.body, published);
      for (const p of m.presence ?? []) this.#tell("presence", p);
      if (m.re) this.#waiting.get(m.re)?.done(m.error && new APIError(m.error.status!, m.error, String(m.error.retry_after)), m.ok);
      if (!event || text(event, "id") === this.last) return;
      if (event.body) this.#tell(event.kind as "chat", event.body as ChatEvent, event); // null: the lobby could not write it
      this.last = event.id;
      this.#tell("event", event);
    } catch {
      this.#lost(ended(1007));
    }
  }

  #welcomed(hello: LiveHello): void {
    if (this.#state === "open") return;
    this.hello = hello;
    this.#openedAt = this.#host.now();
    const waiting = [...this.#waiting.values()];
    this.#state = "open"; // told when all is sent: what a listener asks for comes after it
    this.#rewatch(); // first: a request to watch others may wait
    for (const w of waiting) this.#ws?.send(w.json);
    this.#tell("state", "open");
    if (!this.#first) return;
    this.#first.resolve(this);
    this.#first = undefined;
    this.#turn = new Promise((resolve) => this.#host.schedule(() => {
      this.#turn = undefined;
      resolve();
    }, 0));
  }

  /** Watches as on the socket before. */
  #rewatch(): void {
    if (!this.#watched.length) return;
    this.ask("presence.watch", { players: this.#watched }).catch((e: unknown) => {
      const ms = retryAfterMs(e);
      if (!ms || this.#state !== "open") return;
      this.#cancelRewatch();
      this.#cancelRewatch = this.#host.schedule(() => this.#rewatch(), ms);
    });
  }

  /** Decides what follows the end of a socket. */
  #lost(end: Ended): void {
    if (this.#state === "closed") return;
    const { refresh, lobby, now } = this.#host;
    const opened = this.#state === "open";
    this.#drop();
    if (opened && now() - this.#openedAt > STEADY_MS) this.#retry.begin(end.info, now());
    if (end.info.code === TOKEN_EXPIRED && refresh) {
      this.#before = refresh;
    } else if (end.info.action !== "reconnect" || (this.#first && this.#doubted)) {
      return this.#finish(end.info);
    } else if (!opened) { // a page does not see why a socket was refused, but why a request is
      this.#before = () => lobby.me();
      this.#doubted = true;
    }
    this.#again(end);
  }

  /** Waits for the next attempt. Where the lobby could not even be asked, the first one is the last. */
  #again(end: Ended, cause?: unknown): void {
    if (this.#state === "closed") return;
    if (this.#first && cause) return this.#finish(end.info, cause);
    const wait = this.#retry.next(end, this.#host.now())!; // it never gives up
    this.#after(wait, () => this.#attempt());
    if (this.#state === "open") this.#setState("reconnecting");
  }

  #after(ms: number, call: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#host.schedule(call, ms);
  }

  /** Lets go of the socket. */
  #drop(): void {
    const ws = this.#ws;
    this.#ws = undefined;
    this.#cancelTimer();
    this.#cancelRewatch();
    ws?.close();
  }

  #finish(info: CloseInfo, cause?: unknown): void {
    if (this.#state === "closed") return;
    this.#drop();
    this.#setState("closed");
    const error = cause ?? new CloseError("the lobby's socket", info);
    for (const w of this.#waiting.values()) w.done(error);
    if (this.#first) this.#first.reject(error);
    else this.#tell("close", info);
  }

  #setState(state: LiveState): void {
    this.#state = state;
    this.#tell("state", state);
  }

  #tell<K extends keyof LiveTells>(what: K, ...args: LiveTells[K]): void {
    this.#listeners.tell(what, ...args);
  }
}

/** What a lobby says, if it says it: any part may be missing, or be something else. */
interface Message {
  hello?: LiveHello;
  event?: LobbyEvent;
  published?: LobbyEvent;
  missed?: boolean;
  last?: string;
  presence?: Presence[];
  re?: number;
  ok?: unknown;
  error?: { status?: number; retry_after?: number };
  bye?: { code?: number; reason?: string; after_ms?: number };
}
