import { MAX_TOKEN } from "./protocol.js";
import type { Schedule } from "./schedule.js";

const AGAIN_MS = 5_000; // after a newer token could not be had, or was not answered
const LONGEST_WAIT_MS = 2 ** 31 - 1; // of a platform's timer

/** What a Refresher tells. */
export interface RefreshListener {
  /** There is a newer token. */
  token(token: string): void;
  /** There is none that could be sent. */
  failed(): void;
}

/**
 * Asks for a newer token when three quarters of the present one's time are over, and again after a failure. One is asked
 * for at a time: while a promise has not settled, no other is wanted.
 */
export class Refresher {
  readonly #ask: (() => Promise<string>) | undefined;
  readonly #schedule: Schedule;
  readonly #listener: RefreshListener;
  #asking = false;
  #closed = false;
  #cancel = () => {};

  constructor(ask: (() => Promise<string>) | undefined, schedule: Schedule, listener: RefreshListener) {
    this.#ask = ask;
    this.#schedule = schedule;
    this.#listener = listener;
  }

  /** Notes for how many seconds from now on the token is good; 0 is for ever. */
  expires(seconds: number): void {
    this.#cancel();
    if (seconds > 0) this.#wait(seconds * 750);
  }

  /** Ends it: what is still answered counts for nothing. */
  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #wait(ms: number): void {
    this.#cancel();
    if (!this.#ask || this.#closed) return;
    this.#cancel = this.#schedule(() => {
      if (ms > LONGEST_WAIT_MS) this.#wait(ms - LONGEST_WAIT_MS);
      else this.#due();
    }, Math.min(ms, LONGEST_WAIT_MS));
  }

  #due(): void {
    if (this.#asking) return; // its answer plans the next
    this.#asking = true;
    void Promise.resolve().then(this.#ask).then((token) => this.#answered(token), () => this.#answered(undefined));
  }

  /** A token is asked for again where there is none, and where the server does not answer. */
  #answered(token: string | undefined): void {
    this.#asking = false;
    if (this.#closed) return;
    this.#wait(AGAIN_MS);
    if (typeof token === "string" && sendable(token)) this.#listener.token(token);
    else this.#listener.failed();
  }
}

function sendable(token: string): boolean {
  if (token === "" || token.length > MAX_TOKEN) return false;
  return new TextEncoder().encode(token).length <= MAX_TOKEN; // counted in bytes of UTF-8
}
