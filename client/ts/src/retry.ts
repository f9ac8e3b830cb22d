import { type CloseInfo, closeInfo, type Ended } from "./close.js";

const FIRST_MS = 100;
const MOST_MS = 5_000;

/**
 * Plans when a lost socket is taken up again: at random within a window that doubles, so that many clients who lost one
 * node do not come back as one.
 */
export class Retry {
  readonly #random: () => number;
  readonly #forMs: number;
  #attempts = 0;
  #until = 0;
  #cause: CloseInfo = closeInfo(1006);

  constructor(random: () => number, forMs: number) {
    this.#random = random;
    this.#forMs = forMs;
  }

  /** A socket was lost now. */
  begin(cause: CloseInfo, now: number): void {
    this.#attempts = 0;
    this.#until = now + this.#forMs;
    this.#cause = cause;
  }

  /** Gives it so much more time: the program slept. */
  prolong(ms: number): void {
    this.#until += ms;
  }

  /**
   * How long to wait before the next attempt, in milliseconds; undefined when it is time to give up. The last attempt is
   * made when the time is up, or later where the server asks for that.
   */
  next(last: Ended, now: number): number | undefined {
    const left = this.#until - now;
    if (left <= 0) return undefined;
    const window = Math.min(MOST_MS, FIRST_MS * 2 ** this.#attempts++);
    return Math.min(this.#random() * window, left) + last.info.afterMs;
  }

  /** Why the match ends when it was not taken up again: the first cause, in other words. */
  get givenUp(): CloseInfo {
    return { ...this.#cause, reason: `tried for ${this.#forMs / 1000} s`, afterMs: 0 };
  }
}
