// The way to the dashboard's room: opened, taken up again, and opened anew for as long as it takes.

import { type Lobby, Match } from "@muster/client";
import type { Input, State } from "./types.ts";
import { explain, refused } from "./words.ts";

export type Board = Match<State, Input>;

/** on: numbers come; lost: the server does not answer and is asked again; elsewhere: the same operator has opened it again. */
export type LinkState = "opening" | "on" | "lost" | "elsewhere";

export interface LinkTells {
  /** The state has changed; why is in words, "" where there is nothing to say. */
  state: (state: LinkState, why: string) => void;
  /** The board has new numbers. */
  frame: (board: Board) => void;
  /** The server does not want this operator. */
  refused: (why: string) => void;
}

const GAME = "dashboard";
const ROOM = "main";
const REPLACED = 4406; // the same player opened a newer socket
const FIRST_PAUSE = 500; // ms before it is tried again,
const LONGEST_PAUSE = 4000; // each time twice as long

export class Link {
  readonly #lobby: Lobby;
  readonly #renews: boolean;
  readonly #tell: LinkTells;
  #stop = new AbortController();
  #board: Board | undefined;

  /** @param renews whether the lobby can renew its token */
  constructor(lobby: Lobby, renews: boolean, tell: LinkTells) {
    this.#lobby = lobby;
    this.#renews = renews;
    this.#tell = tell;
  }

  /** Opens it, and keeps it open until it is closed. */
  open(): void {
    this.#stop = new AbortController();
    void this.#run(this.#stop.signal);
  }

  close(): void {
    this.#stop.abort();
    this.#board?.close();
    this.#board = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    this.#tell.state("opening", "");
    for (let pause = FIRST_PAUSE; !signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        const closed = await this.#once(signal, () => (pause = FIRST_PAUSE));
        if (signal.aborted) return;
        if (closed.code === REPLACED) return this.#tell.state("elsewhere", "");
        this.#tell.state("lost", closed.reason);
      } catch (error) {
        if (signal.aborted) return;
        if (refused(error)) return this.#tell.refused(explain(error));
        this.#tell.state("lost", explain(error));
      }
      await wait(pause * (0.75 + Math.random() / 2), signal);
    }
  }

  /** Watches until the room's socket is closed for good. */
  async #once(signal: AbortSignal, works: () => void): Promise<{ code: number; reason: string }> {
    const seat = await this.#lobby.rooms.joinNamed(GAME, ROOM, { signal });
    let closed!: (info: { code: number; reason: string }) => void;
    const over = new Promise<{ code: number; reason: string }>((resolve) => (closed = resolve));
    const board: Board = await Match.connect<State, Input>(seat, {
      ...(this.#renews && { refresh: () => this.#lobby.refresh() }),
      onState: (state) => {
        if (signal.aborted) return;
        if (state === "reconnecting") this.#tell.state("lost", "");
        if (state === "playing") this.#tell.state("on", "");
      },
      onFrame: () => {
        works();
        if (!signal.aborted && this.#board) this.#tell.frame(this.#board);
      },
      onClose: (info) => closed(info),
    });
    if (signal.aborted) {
      board.close();
      return { code: 0, reason: "" };
    }
    this.#board = board;
    this.#tell.state("on", "");
    return over;
  }
}

/** Lets some ms pass, or less where the network comes back or it is to end. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
