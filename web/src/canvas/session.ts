// A place in the room: a guest's token, a seat, a match; and the same again when it was lost. What is edited meanwhile is
// kept and goes out with the next seat.

import { APIError, CloseError, type CloseInfo, type FrameInfo, Lobby, Match, type MatchSeat, type SocketFactory } from "@muster/client";
import { closed } from "../shared/ending.ts";
import { explain } from "../shared/seating.ts";
import { Prefs } from "../shared/prefs.ts";
import { sentence } from "../shared/sentence.ts";
import { CanvasModel } from "./model.ts";
import { isCursor, Relink } from "./relink.ts";
import type { Events, Input, State } from "./types.ts";
import { GAME } from "./world.ts";

export type CanvasMatch = Match<State, Input, Events>;

/** How the place in the room is. */
export type Place =
  | { kind: "joining" }
  | { kind: "live" }
  /** It will be tried again by itself. */
  | { kind: "away"; why: string }
  /** It takes a click to go on. */
  | { kind: "stopped"; why: string; act: string };

/** What a session tells. */
export interface SessionHost {
  place(place: Place): void;
  /** There is a room to draw and write in, whose rows come with the frames that follow. What there was before is over. */
  opened(model: CanvasModel): void;
  /** A frame; text says whether the text may be another one. whole: all of the room is here. */
  frame(frame: FrameInfo, whole: boolean, text: boolean): void;
  refused(input: Input, reason: string): void;
}

const LONGEST_MS = 10_000; // between two tries
const TOKEN = "canvas.token";
const BYE: CloseInfo["action"] = "done";

export class Session {
  readonly room: string;
  name: string;
  readonly #host: SessionHost;
  readonly #webSocket: SocketFactory | undefined;
  readonly #kept = new Prefs(() => sessionStorage); // a tab is a person, also when it is loaded anew
  #lobby = new Lobby(location.origin);
  #match: CanvasMatch | undefined;
  #model: CanvasModel | undefined;
  #link: Relink | undefined; // what the model has for a match
  #linked: CanvasMatch | undefined; // that which it is now
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failed = 0;
  #run = 0; // counts attempts: what an older one brings is dropped

  constructor(room: string, name: string, host: SessionHost, webSocket?: SocketFactory) {
    this.room = room;
    this.name = name;
    this.#host = host;
    this.#webSocket = webSocket;
  }

  get match(): CanvasMatch | undefined {
    return this.#match;
  }

  /** How many own edits the room has not taken up; where the own pointer is, is none. */
  get waiting(): number {
    const cursors = this.#link?.unprocessed.filter(({ input: { Op } }) => isCursor(Op)).length ?? 0;
    return Math.max(0, (this.#model?.waiting ?? 0) - cursors);
  }

  get lobby(): Lobby {
    return this.#lobby;
  }

  /** Joins the room, now. */
  join(): void {
    clearTimeout(this.#timer);
    void this.#attempt(++this.#run);
  }

  /** Goes on under another name: as another guest, as names belong to tokens. */
  async rename(name: string): Promise<void> {
    this.name = name;
    this.#run++;
    clearTimeout(this.#timer);
    const before = this.#match;
    this.#match = undefined;
    this.#host.place({ kind: "joining" });
    await before?.leave().catch(() => undefined);
    this.#kept.set(TOKEN, undefined);
    this.#lobby = new Lobby(location.origin);
    this.#model = this.#link = undefined; // what is undone is another's
    this.join();
  }

  /** Gives the seat back: the page is going away. */
  leave(): void {
    void this.#match?.leave().catch(() => undefined);
  }

  async #attempt(run: number): Promise<void> {
    if (this.#failed === 0) this.#host.place({ kind: "joining" });
    try {
      const seat = await this.#seat();
      if (run !== this.#run) return;
      await this.#connect(seat, run);
      this.#failed = 0;
    } catch (error) {
      if (run === this.#run) this.#trouble(error);
    }
  }

  /** A seat in the room, as the guest that this tab was before. */
  async #seat(): Promise<MatchSeat> {
    if (this.#lobby.token === "") {
      await this.#lobby.guest(this.name, { token: this.#kept.get(TOKEN) });
    }
    try {
      return await this.#lobby.rooms.joinNamed(GAME, this.room);
    } catch (error) {
      if (!(error instanceof APIError) || error.status !== 401) throw error;
      this.#lobby.token = ""; // it has ended
      await this.#lobby.guest(this.name);
      return await this.#lobby.rooms.joinNamed(GAME, this.room);
    } finally {
      if (this.#lobby.token) this.#kept.set(TOKEN, this.#lobby.token); // who could not be asked is still who he was
    }
  }

  async #connect(seat: MatchSeat, run: number): Promise<void> {
    const current = () => run === this.#run;
    const match: CanvasMatch = await Match.connect<State, Input, Events>(seat, {
      refresh: async () => {
        const token = await this.#lobby.refresh();
        this.#kept.set(TOKEN, token);
        return token;
      },
      ...(this.#webSocket && { webSocket: this.#webSocket }),
      // Nothing is asked of match.view, so that it need keep little.
      view: { tables: { Cursors: "raw", Authors: "raw", Runs: "raw", Strokes: "raw", Board: "raw" }, maxDelay: 1, catchUp: Infinity },
      onState: (state) => {
        if (!current() || state === "closed") return;
        if (state === "reconnecting") this.#host.place({ kind: "away", why: "The connection is lost." });
        if (state === "playing" && this.#match) this.#host.place({ kind: "live" });
      },
      onFrame: (frame) => {
        if (current()) this.#frame(frame);
      },
      onRefused: (refusal) => {
        if (current()) this.#model?.refused(refusal);
      },
      onClose: (info) => {
        if (current()) this.#closed(info);
      },
    });
    if (!current()) return match.close();
    this.#match = match;
    if (!this.#model) this.#open(match);
    this.#host.place({ kind: "live" });
  }

  /** Begins anew with what a match shows. */
  #open(match: CanvasMatch): void {
    this.#linked = match;
    this.#link = new Relink(match);
    this.#model = new CanvasModel(this.#link);
    this.#model.onRefused = (input, reason) => this.#host.refused(input, reason);
    this.#host.opened(this.#model);
  }

  #frame(frame: FrameInfo): void {
    const match = this.#match;
    if (!match) return; // it is not yet known to be there
    const whole = Relink.whole(match);
    if (match !== this.#linked && whole) {
      if (this.#link?.take(match)) this.#linked = match;
      else this.#open(match);
    }
    const text = match === this.#linked && this.#model !== undefined && this.#model.frame();
    this.#host.frame(frame, whole, text);
  }

  #closed(info: CloseInfo): void {
    this.#match = undefined;
    this.#link?.lost();
    if (info.action === "requeue" || info.action === "reconnect") return this.#again("The connection is lost.", info.afterMs);
    this.#stop(info);
  }

  /** What takes somebody's word to go on. */
  #stop(info: CloseInfo): void {
    if (info.name === "replaced") {
      return this.#host.place({ kind: "stopped", why: "You have this room open in another tab or window.", act: "Use it here" });
    }
    const meaning = closed(info, "The server closed the room.");
    const act = info.name === "version" ? "Load the page anew" : info.action === BYE ? "Open it again" : "Try again";
    this.#host.place({ kind: "stopped", why: info.action === BYE ? "The room was closed." : sentence(meaning), act });
  }

  #trouble(error: unknown): void {
    if (error instanceof CloseError) {
      return error.info.action === "stop" ? this.#stop(error.info) : this.#again("The connection is lost.", error.info.afterMs);
    }
    const refused = error instanceof APIError && !error.temporary;
    if (refused) return this.#host.place({ kind: "stopped", why: explain(error), act: "Try again" });
    this.#again(explain(error), error instanceof APIError ? error.retryAfterMs : 0);
  }

  #again(why: string, afterMs: number): void {
    const wait = Math.max(afterMs, Math.min(LONGEST_MS, 500 * 2 ** this.#failed)) * (0.7 + 0.6 * Math.random());
    this.#failed++;
    this.#host.place({ kind: "away", why });
    this.#timer = setTimeout(() => this.join(), wait);
  }
}
