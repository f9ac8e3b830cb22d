// Watches one match, live or recorded, over as many sockets as it takes: whoever only watches needs another token for
// each.

import { APIError, CloseError, type CloseInfo, type FrameInfo, Match, type MatchSeat } from "@muster/client";
import { sentence } from "../shared/sentence.ts";
import type { MatchScene, Moment } from "./scene.ts";

/** What a Viewer asks for and tells of. */
export interface ViewerOptions {
  /** A token for the next socket. Rejects with an APIError where there is nothing to watch any more. */
  seat(): Promise<MatchSeat>;
  /** What shows a game. */
  scene(game: string): MatchScene;
  replay: boolean;
  /** Whether the pictures come: not before the first one, nor while a lost socket is taken up again. */
  live(on: boolean): void;
  frame(tick: number): void;
  /** A socket is open, and nothing is shown by it yet. again says that something was before it. */
  waiting(again: boolean): void;
  /** It is over; why, in words. refused says that the server said so before anything was seen. */
  over(why: string, refused: boolean): void;
  refresh(): Promise<string>;
}

const AGAIN = [500, 1000, 2000, 4000, 5000]; // ms before an attempt
const LEAP = 4; // times as many ticks as the speed makes in a frame: the replay went elsewhere

export class Viewer {
  readonly #o: ViewerOptions;
  #match: Match | undefined;
  #scene: MatchScene | undefined;
  #raf = 0;
  #closed = false;
  #seen = false;
  #shown = false; // by this socket
  #failed = 0; // attempts since the last frame
  #tick = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** How fast a replay goes. */
  speed = 1;

  constructor(options: ViewerOptions) {
    this.#o = options;
    void this.#attempt(0);
    this.#raf = requestAnimationFrame((now) => this.#draw(now));
  }

  /** The match by the socket that is open. */
  get match(): Match | undefined {
    return this.#match;
  }

  /** Whether something was shown by the newest socket. */
  get shown(): boolean {
    return this.#shown;
  }

  get scene(): MatchScene | undefined {
    return this.#scene;
  }

  /** The newest tick that was received, of a replay the recorded one. */
  get tick(): number {
    return this.#tick;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#raf);
    this.#match?.close();
    this.#scene?.close();
  }

  async #attempt(failed: number): Promise<void> {
    let ended: CloseInfo | undefined; // before connect had resolved
    this.#shown = false;
    try {
      const seat = await this.#o.seat();
      if (this.#closed) return;
      const match: Match = await Match.connect(seat, {
        reconnect: false,
        refresh: () => this.#o.refresh(),
        view: { snap: 120, maxDelay: 20 },
        onFrame: (f) => this.#frame(match, f),
        onClose: (info) => (this.#match === match ? this.#lost(info) : (ended = info)),
      });
      if (this.#closed) return match.close();
      this.#match = match;
      this.#scene ??= this.#o.scene(match.info.game);
      this.#scene.begin(match);
      if (!this.#shown) this.#o.waiting(this.#seen);
      if (ended) this.#lost(ended);
    } catch (error) {
      if (this.#closed) return;
      if (error instanceof CloseError && error.info.action !== "reconnect") return this.#end(words(error.info), !this.#seen);
      if (error instanceof APIError && !error.temporary) return this.#end(error.detail || error.title || "The server refuses.", !this.#seen);
      this.#again(failed, error instanceof APIError ? error.retryAfterMs : error instanceof CloseError ? error.info.afterMs : 0);
    }
  }

  /** Tries again after a while: no sooner than the server has asked for. */
  #again(failed: number, least: number): void {
    this.#match = undefined;
    this.#o.live(false);
    const ms = Math.max(least, AGAIN[Math.min(failed, AGAIN.length - 1)]!);
    this.#failed = failed + 1; // until a frame comes
    this.#timer = setTimeout(() => void this.#attempt(failed + 1), ms * (1 + 0.4 * Math.random()));
  }

  #lost(info: CloseInfo): void {
    if (this.#closed) return;
    if (info.action === "reconnect" || info.name === "token_expired") return this.#again(this.#failed, info.afterMs);
    this.#end(words(info), !this.#seen);
  }

  #end(why: string, refused: boolean): void {
    this.#o.live(false);
    this.#o.over(why, refused);
  }

  #frame(match: Match, f: FrameInfo): void {
    const tick = this.#o.replay ? f.processed : f.tick;
    const jumped = this.#o.replay && this.#seen && Math.abs(tick - this.#tick - this.speed) > LEAP * Math.max(1, this.speed);
    this.#tick = tick;
    this.#seen = this.#shown = true;
    this.#failed = 0;
    this.#o.live(true);
    const at: Moment = { tick, rate: match.info.rate, replay: this.#o.replay };
    this.#scene?.frame(f, at, jumped);
    this.#o.frame(tick);
  }

  #draw(now: number): void {
    this.#raf = requestAnimationFrame((at) => this.#draw(at));
    this.#scene?.draw(now);
  }
}

function words(info: CloseInfo): string {
  if (info.action === "done" && !info.reason) return "The match is over.";
  return sentence(info.reason || "the server closed the connection");
}
