import { CloseError, type CloseInfo, closeInfo, ended, type Ended } from "./close.js";
import { CODE_LOST } from "./codes.js";
import { sameValue } from "./field.js";
import type { Placement } from "./from_server.js";
import type { MatchSeat } from "./lobby.js";
import { type FrameInfo, type MatchInfo, type MatchStats, Play, type PlayListener } from "./play.js";
import { MalformedError } from "./reader.js";
import { Refresher } from "./refresh.js";
import { Retry } from "./retry.js";
import { type Schedule, systemSchedule } from "./schedule.js";
import type { Schema } from "./schema.js";
import { Socket, type SocketFactory, systemSocket } from "./socket.js";
import type { Row, TableView } from "./tables.js";
import {
  type AnyEvents, Callbacks, callOut, type EventInfo, type OnAdd, type OnChange, type OnEvent, type OnField, type OnRemove, type Undo,
} from "./match_callbacks.js";
import { type Predicted, Predicting, type PredictOptions } from "./match_predict.js";
import { checkPlayout, Playout, type PlayoutOptions, type Shown } from "./interpolate.js";


/** Connecting until the first welcome; reconnecting while a lost socket is taken up again; closed for good. */
export type MatchState = "connecting" | "playing" | "reconnecting" | "closed";

/** That the rules refused a command of this seat. */
export interface Refusal<In> {
  tick: number;
  number: number;
  seq: number;
  /** For people. */
  reason: string;
  /** What was given to send; undefined when that was too long ago, or in another program. */
  input: In | undefined;
}

/** How a Match behaves and whom it tells. An error that a callback throws surfaces as an uncaught one; the match goes on. */
export interface MatchOptions<S, In> {
  /** Take a lost socket up again where the close code says so. Default true. */
  reconnect?: boolean;
  /** How long that is tried, in milliseconds. Default 30,000, the default time that a seat is held. */
  reconnectForMs?: number;
  /**
   * Asked when the server says that the match moved to another address, which it returns (or another one) to connect
   * there. Without it the first address is used again; any node serves any match.
   */
  moved?: (url: string) => string;
  /**
   * Called for a newer token of the player when three quarters of the present one's time are over, and again 5 s after it
   * failed; not before its last promise has settled. A token has 1 to 4096 bytes. Without it the match ends with its
   * token, as 4205, "requeue".
   */
  refresh?: () => Promise<string>;
  /** How match.view shows the rows. */
  view?: PlayoutOptions<S>;
  /** Opens a socket. Default: the WebSocket of the platform, which Node has from version 22. */
  webSocket?: SocketFactory;
  /** A steady clock in milliseconds. Default performance.now. */
  now?: () => number;
  /** Calls a function after a time and returns what cancels that. Default setTimeout. */
  schedule?: Schedule;
  /** From 0 to 1, for the jitter of reconnecting. Default Math.random. */
  random?: () => number;
  /** At each change of the state. */
  onState?: (state: MatchState) => void;
  /** The frame's rows and events were told before. */
  onFrame?: (frame: FrameInfo) => void;
  /** The rules refused a command of this seat. */
  onRefused?: (refusal: Refusal<In>) => void;
  /** The match is over; a close with the action "done" follows. */
  onEnd?: (placements: Placement[]) => void;
  /** Once, when the state is closed. Not called when connect rejects. */
  onClose?: (close: CloseInfo) => void;
}

const ATTEMPT_MS = 10_000; // for a socket's opening and welcome
const SILENCE_MS = 10_000; // a socket that says nothing for so long counts as lost
const SLEPT_MS = 5_000; // a timer that is so late: the tab was frozen, or the machine slept
const WAKE_MS = 2_000; // for what has come meanwhile to be read
const LEAVE_MS = 3_000;
const REMEMBERED = 320; // sequences back that a refusal is still told with its input

// Samples that come faster than this, in ticks, wait for their time and give way to newer ones: the rules use one a
// tick, and a server does not listen to many more messages than that. One may be before its time, so that a change
// does not wait for its turn when what was sent before it was more of the same.
const SAMPLE_SPACING = 0.6;

/**
 * Plays in a match. S names the rows of the state's tables and values, In the game's input; both are the caller's word,
 * with nested fields as dotted names: Match<{ Ships: Ship; Round: Round }, Input>.
 */
export class Match<S = Record<string, Row>, In = Row, Ev = AnyEvents> {
  /** The result, once the match is over. */
  end?: Placement[];

  readonly #seat: MatchSeat;
  readonly #options: MatchOptions<S, In>;
  readonly #play: Play;
  readonly #retry: Retry;
  readonly #refresher: Refresher;
  readonly #schedule: Schedule;
  readonly #now: () => number;
  #state: MatchState = "connecting";
  #url: string; // where the match is
  #socket: Socket | undefined;
  #heardAt = 0;
  #cancelWatch = () => {}; // of the present socket's silence
  #cancelWait = () => {}; // for the next attempt
  #cancelHeld = () => {};
  #held: { body: Uint8Array; input: In } | undefined; // a sample that waits for its time
  #sampleAt = -Infinity; // from when on another sample may be sent
  #early: { bytes: Uint8Array; at: number }[] | undefined; // what came with the first welcome
  #cancelEarly = () => {};
  #playout: Playout<S> | undefined; // from the first welcome on
  #predicting: Predicting<S, In, Ev> | undefined;
  #framed = false; // a frame of this socket is in it
  readonly #calls = new Callbacks((f) => this.#tell(f)); // by "add Ships", "event Hit" and the like
  readonly #sent = new Map<number, In>(); // for refusals
  #opened: { resolve: (m: Match<S, In, Ev>) => void; reject: (e: Error) => void } | undefined;
  #leaving: Promise<void> | undefined;
  #left: { resolve: () => void; reject: (e: Error) => void } | undefined;

  /**
   * Takes a seat: resolves when the server has welcomed it, with tables still empty; frames follow. Rejects with a
   * CloseError when the server says no, or cannot be reached.
   */
  static connect<S = Record<string, Row>, In = Row, Ev = AnyEvents>(
    seat: MatchSeat, options: MatchOptions<S, In> = {},
  ): Promise<Match<S, In, Ev>> {
    return new Promise((resolve, reject) => {
      const match = new Match<S, In, Ev>(seat, options);
      match.#opened = { resolve, reject };
      match.#attempt(seat.token);
    });
  }

  private constructor(seat: MatchSeat, options: MatchOptions<S, In>) {
    this.#seat = seat;
    this.#url = seat.url;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#schedule = options.schedule ?? systemSchedule;
    this.#retry = new Retry(options.random ?? Math.random, options.reconnectForMs ?? 30_000);
    this.#refresher = new Refresher(options.refresh, this.#schedule, {
      token: (token) => {
        if (this.#state === "playing") this.#play.refresh(token); // else the resume's welcome plans anew
      },
      failed: () => void this.#play.stats.refreshErrors++,
    });
    checkPlayout(options.view ?? {});
    this.#play = new Play(this.#listener(), () => this.#socket);
  }

  /** What the newest welcome said. */
  get info(): MatchInfo {
    return this.#play.info!;
  }

  /** The columns of the game's tables. The same object for good. */
  get schema(): Schema {
    return this.#play.schema!;
  }

  /** Whether the match is played now; onState tells of changes. */
  get state(): MatchState {
    return this.#state;
  }

  /** What was measured and counted since connect. The same object for good. */
  get stats(): Readonly<MatchStats> {
    return this.#play.stats;
  }

  /** The state by table, as the newest frame left it, also while reconnecting. The same object for good. */
  get tables(): { readonly [K in keyof S]: TableView<S[K]> } {
    return this.#play.tables!.views as unknown as { readonly [K in keyof S]: TableView<S[K]> };
  }

  /**
   * The inputs of send that no frame has contained, oldest first. While the match is played they are sent until they are
   * processed; once it is closed they are sent no more: whether the room took them is not known. Commands that were given
   * up because another program took the seat and sent its own are among them, the newest 256. At most 512.
   */
  get unprocessed(): { seq: number; input: In }[] {
    return this.#play.unprocessed as { seq: number; input: In }[]; // send took them
  }

  /**
   * Tells of rows that come, by table, when the whole frame was applied, before onFrame; first, at once, of those that
   * are there already.
   */
  onAdd<K extends keyof S & string>(table: K, call: OnAdd<S[K]>): Undo {
    for (const [id, row] of this.tables[table]) callOut(() => call(id, row));
    return this.#calls.add(`add ${table}`, call);
  }

  /** Tells of rows that differ from what they were, or of one of their fields. */
  onChange<K extends keyof S & string>(table: K, call: OnChange<S[K]>): Undo;
  onChange<K extends keyof S & string, F extends keyof S[K] & string>(table: K, field: F, call: OnField<S[K][F]>): Undo;
  onChange(table: string, what: string | OnChange<never>, field?: OnField<never>): Undo {
    if (typeof what !== "string") return this.#calls.add(`change ${table}`, what);
    const call = field as OnField<unknown>;
    return this.#calls.add(`change ${table}`, (id: number, row: Row, before: Row) => {
      const [now, then] = [row[what], before[what]];
      if (!sameValue(now, then)) call(id, now, then);
    });
  }

  /** Tells of rows that go. */
  onRemove<K extends keyof S & string>(table: K, call: OnRemove<S[K]>): Undo {
    return this.#calls.add(`remove ${table}`, call);
  }

  /**
   * Tells of the game's events, each once, in order, over all sockets. One that a step has emitted is told when it is
   * predicted, and not again when the server sends it. "*" hears all events.
   */
  onEvent<K extends keyof Ev & string>(name: K, call: OnEvent<Ev[K], Ev>): Undo;
  onEvent(name: "*", call: OnEvent<Ev[keyof Ev], Ev>): Undo;
  onEvent(name: string, call: (fields: never, event: EventInfo<Ev>) => void): Undo {
    return this.#calls.add(`event ${name}`, call);
  }

  /** Tells of events that were told as predicted and that the server did not send. */
  onUnconfirmed<K extends keyof Ev & string>(name: K, call: OnEvent<Ev[K], Ev>): Undo {
    return this.#calls.add(`unconfirmed ${name}`, call);
  }

  /**
   * What to draw now, a time of requestAnimationFrame or performance.now; undefined before the first frame. It also tells
   * the server that the player looks at this, as setView does.
   */
  view(now = this.#now()): Shown<S> | undefined {
    const shown = this.#playout!.at(this.#play.clock.serverTick(now));
    if (!shown) return undefined;
    if (this.#framed) this.#play.setView(Math.floor(shown.tick), Math.floor((shown.tick % 1) * 256));
    return this.#predicting?.show(shown, this.#play.clock.inputTick(now), now) ?? shown;
  }

  /**
   * Begins to predict the own rows: match.send hands inputs to the step at once, and match.view shows own and provisional
   * rows as predicted. A second call takes the place of the first. What a step throws surfaces as an uncaught error, but
   * in a view, which throws it.
   */
  predict(options: PredictOptions<S, In, Ev>): Predicted<S> {
    const tell = (what: string) => (name: string, fields: AnyEvents[string], tick: number) => {
      this.#event(what, fields, { tick, number: 0, name, predicted: true });
    };
    const { schema, info } = this;
    const predicting = new Predicting<S, In, Ev>(
      { schema, info, onEvent: tell("event"), onUnconfirmed: tell("unconfirmed") }, options,
    );
    this.#predicting = predicting;
    this.#play.stats.prediction = predicting.stats;
    if (this.#framed) predicting.frame(this.#play.head.tick, this.#play.head.processed, this.#play.tables!.views);
    return predicting;
  }

  /** The row of a value; undefined before the first frame. */
  value<K extends keyof S>(name: K): S[K] | undefined {
    return this.tables[name]?.get(1);
  }

  /**
   * Sends an input: stamped with the tick at which it should arrive just in time and with the tick that the player
   * looks at, and with repeats of those before it that the server has not acknowledged. Once a tick is enough for
   * samples; when they come faster, the newest of a tick is sent. False when the match is closed,
   * or has no seat since the token was one for watching: the input was not taken.
   *
   * Throws a TypeError or RangeError for what is no input of the game, and a BacklogError for a command when 256 are
   * not durable yet: in a room that checkpoints that is some seconds' commands. Where more than 32 are not even
   * processed, a command is sent after a frame, in its turn.
   */
  send(input: In): boolean {
    if (this.#state === "closed" || this.info.seat === 0) return false;
    const body = this.#play.encode(input as object);
    if (this.info.inputs === "commands") {
      this.#take(body, input);
      return true;
    }
    const wait = Math.min(this.#sampleAt - this.#now(), this.#spacing); // the clock may jump
    if (wait <= 0) {
      this.#held = undefined;
      this.#take(body, input);
      return true;
    }
    if (!this.#held) {
      this.#cancelHeld();
      this.#cancelHeld = this.#schedule(() => this.#sendHeld(), wait);
    }
    this.#held = { body, input };
    return true;
  }

  /**
   * Says what the player looks at, for games that compensate lag: a tick, and the part of the way to the next one, from
   * 0 to 1. It holds until it is said anew or the socket changes; without it, it is the newest frame's tick.
   */
  setView(tick: number, frac: number): void {
    if (!Number.isSafeInteger(tick) || tick < 0 || !(frac >= 0 && frac <= 1)) {
      throw new RangeError(`view ${tick}, ${frac}`);
    }
    this.#play.setView(tick, Math.min(255, Math.floor(frac * 256)));
  }

  /** The room's tick time now, with its fraction. It never goes back but for a new epoch, or a clock that jumped by seconds. */
  serverTick(): number {
    return this.#play.clock.serverTick(this.#now());
  }

  /**
   * Gives the seat up for good. Resolves when the server has taken note; rejects with a CloseError when it did not
   * within seconds or no socket is open: it then holds the seat for a while. The match is closed either way.
   */
  leave(): Promise<void> {
    if (this.#leaving) return this.#leaving;
    if (this.#state === "closed") return Promise.resolve();
    this.#leaving = new Promise((resolve, reject) => {
      this.#left = { resolve, reject };
      if (this.#state !== "playing") return this.#finish(closeInfo(CODE_LOST));
      this.#play.leave();
      this.#cancelWait = this.#schedule(() => this.#finish(closeInfo(CODE_LOST)), LEAVE_MS);
    });
    return this.#leaving;
  }

  /** Closes the match without giving the seat up: the server holds it for a while. */
  close(): void {
    this.#finish(closeInfo(1000));
  }

  /** Between two samples, in milliseconds. */
  get #spacing(): number {
    return (SAMPLE_SPACING * 1000) / this.info.rate;
  }

  #sendHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held && this.#state !== "closed") this.#take(held.body, held.input);
  }

  #take(body: Uint8Array, input: In): void {
    const now = this.#now();
    const { seq, tick, view, frac } = this.#play.take(body, input, now);
    // What is shown follows an estimate slowly. Where it is behind, the input is not to wait for it: it counts in the tick
    // that is shown, and is put right by the server's state if it came later there.
    const shown = this.#play.clock.inputTick(now);
    callOut(() => this.#predicting?.input(seq, Math.min(tick, Math.ceil(shown)), input, shown, view + frac / 256));
    this.#sampleAt = Math.max(now, Math.min(now, this.#sampleAt) + this.#spacing);
    this.#sent.set(seq, input);
    for (const old of this.#sent.keys()) { // in ascending order; where another program played on they jump
      if (old > seq - REMEMBERED) break;
      this.#sent.delete(old);
    }
  }

  /** Opens a socket. */
  #attempt(token: string): void {
    this.#play.reopen();
    this.#heardAt = this.#now();
    try {
      this.#socket = new Socket(this.#options.webSocket ?? systemSocket, this.#url, token, {
        message: (bytes) => this.#message(bytes),
        ended: (code, reason) => this.#lost(ended(code, reason)),
      });
    } catch (e) {
      return this.#lost(ended(1008, e instanceof Error ? e.message : String(e)));
    }
    this.#watch(ATTEMPT_MS);
  }

  /** Ends a socket that says nothing. The close of a dead one can take minutes, so it is not waited for. */
  #watch(ms: number): void {
    this.#cancelWatch();
    this.#cancelWatch = this.#after(ms, (slept) => {
      // What came while the program slept may wait behind this timer.
      if (slept) this.#heardAt = this.#now() - SILENCE_MS + WAKE_MS;
      const left = Math.min(SILENCE_MS, this.#heardAt + SILENCE_MS - this.#now());
      if (this.#state === "playing" && left > 0) this.#watch(left);
      else this.#lost(ended(CODE_LOST, "the server is silent"));
    });
  }

  /** Calls after a time, and says whether the program slept over it: that time does not count as one of reconnecting. */
  #after(ms: number, call: (slept: boolean) => void): () => void {
    const due = this.#now() + ms;
    return this.#schedule(() => {
      const late = this.#now() - due;
      if (late > SLEPT_MS) this.#retry.prolong(late);
      call(late > SLEPT_MS);
    }, ms);
  }

  #message(bytes: Uint8Array): void {
    this.#heardAt = this.#now();
    if (this.#early) this.#early.push({ bytes, at: this.#heardAt });
    else this.#read(bytes, this.#heardAt);
  }

  #read(bytes: Uint8Array, at: number): void {
    let end: Ended | undefined;
    try {
      end = this.#play.message(bytes, at);
    } catch (e) {
      if (!(e instanceof MalformedError)) throw e;
      end = ended(1007, e.message);
    }
    if (end) this.#lost(end);
  }

  /** Decides what follows the end of a socket, or of an attempt to open one. */
  #lost(end: Ended): void {
    const socket = this.#socket;
    this.#takeEarly(); // there may be a bye
    if (this.#state === "closed" || this.#socket !== socket) return;
    this.#cancelWatch();
    socket?.close();
    this.#socket = undefined;
    if (end.info.action !== "reconnect" || this.#options.reconnect === false || this.#left || this.#opened ||
      this.#play.resume === "") { // one who only watches needs another token
      return this.#finish(end.info);
    }
    const now = this.#now();
    if (this.#state === "playing") {
      this.#retry.begin(end.info, now);
      this.#setState("reconnecting");
    }
    const { moved } = this.#options;
    if (end.url && moved) callOut(() => this.#url = moved(end.url));
    if (this.state === "closed") return; // by one of these two calls
    const wait = this.#retry.next(end, now);
    if (wait === undefined) return this.#finish(this.#retry.givenUp);
    this.#cancelWait = this.#after(wait, () => this.#attempt(this.#play.resume));
  }

  #welcomed(): void {
    if (this.#state === "reconnecting") this.#play.stats.resumes++;
    this.#watch(SILENCE_MS);
    this.#playout ??= new Playout<S>(this.schema, { catchUp: 2, ...this.#options.view });
    this.#framed = false;
    this.#predicting?.resume();
    this.#setState("playing");
    if (!this.#opened) return;
    // Several messages may come in one turn of the event loop. Who awaits connect is to hear of all of them.
    this.#early = [];
    this.#cancelEarly = this.#schedule(() => this.#takeEarly(), 0);
    this.#opened.resolve(this);
    this.#opened = undefined;
  }

  #takeEarly(): void {
    const early = this.#early;
    this.#early = undefined;
    this.#cancelEarly();
    for (const { bytes, at } of early ?? []) if (this.#socket) this.#read(bytes, at);
  }

  /** Ends the match for good. */
  #finish(info: CloseInfo): void {
    if (this.#state === "closed") return;
    this.#cancelWatch();
    this.#cancelWait();
    this.#cancelHeld();
    this.#cancelEarly();
    this.#refresher.close();
    this.#socket?.close();
    this.#socket = undefined;
    const opened = this.#opened;
    this.#setState("closed");
    if (opened) return opened.reject(new CloseError(`joining match ${this.#seat.room}`, info));
    callOut(() => this.#options.onClose?.(info));
    if (info.action === "done") this.#left?.resolve();
    else this.#left?.reject(new CloseError(`leaving match ${this.#seat.room}`, info));
  }

  #setState(state: MatchState): void {
    this.#state = state;
    callOut(() => this.#options.onState?.(state));
  }

  /** Calls the program. One that closed the match in a callback hears nothing more of it. */
  #tell(f: () => void): void {
    if (this.#state !== "closed") callOut(f);
  }

  #event(what: string, fields: AnyEvents[string], event: EventInfo): void {
    for (const name of [event.name, "*"]) this.#calls.tell(`${what} ${name}`, fields, event);
  }

  /** What the stream tells. */
  #listener(): PlayListener {
    const o = this.#options;
    return {
      welcomed: () => this.#welcomed(),
      expires: (seconds) => this.#refresher.expires(seconds),
      row: (what, table, ...args) => this.#calls.tell(`${what} ${table}`, ...args),
      restarted: () => {
        this.#playout!.reset();
        this.#predicting?.restart();
      },
      frame: (info) => {
        this.#framed = true;
        callOut(() => this.#predicting?.frame(info.tick, info.processed, this.#play.tables!.views));
        this.#playout!.push(info.tick, this.tables, this.#play.clock.serverTick(info.at));
        this.#tell(() => o.onFrame?.(info));
      },
      event: (tick, number, body) => {
        if (body.kind === "game") {
          const { name, fields } = body;
          if (this.#predicting?.confirm(name, fields, tick)) return;
          return this.#event("event", fields, { tick, number, name, predicted: false });
        }
        const { seq, reason } = body;
        this.#tell(() => o.onRefused?.({ tick, number, seq, reason, input: this.#sent.get(seq) }));
      },
      end: (placements) => {
        this.end = placements;
        this.#tell(() => o.onEnd?.(placements));
      },
    };
  }
}
