// When inputs are sent: a change at once, so that the next picture shows it, and else now and then. The server lets an
// input count until the next one, for half a second; more of the same would say nothing, and nothing is what counts then.

import type { Input } from "./world.ts";

/**
 * The least part of a tick between two inputs: the rules use one a tick. One change may be before its time, so that the
 * next picture has it however shortly before the same was sent again.
 */
const SPACING = 0.62;
/** How many ticks one input is left to count. */
const HELD = 6;

const REST: Input = { Turn: 0, Thrust: 0, Fire: false };

/** Where time comes from. Tests give their own. */
export interface Timers {
  now: () => number; // ms
  after: (call: () => void, ms: number) => () => void; // returns what cancels it
}

const real: Timers = {
  now: () => performance.now(),
  after: (call, ms) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

export class Sender {
  readonly #tick: number; // ms
  readonly #read: () => Input | undefined;
  readonly #send: (input: Input) => void;
  readonly #timers: Timers;
  #last: Input | undefined;
  #at = Number.NEGATIVE_INFINITY;
  #due = Number.NEGATIVE_INFINITY; // the time of the next input
  #cancel: () => void = () => undefined;

  /** read gives the controls as they are now; undefined while nothing is to be sent. */
  constructor(rate: number, read: () => Input | undefined, send: (input: Input) => void, timers: Timers = real) {
    this.#tick = 1000 / rate;
    this.#read = read;
    this.#send = send;
    this.#timers = timers;
    this.#next();
  }

  /** Says that a control has changed. */
  changed(): void {
    const wait = this.#due - SPACING * this.#tick - this.#timers.now();
    this.#cancel();
    if (wait <= 0) this.#look();
    else this.#cancel = this.#timers.after(() => this.#look(), wait);
  }

  /** Sends nothing more. */
  close(): void {
    this.#cancel();
  }

  #next(): void {
    this.#cancel = this.#timers.after(() => this.#look(), this.#tick);
  }

  #look(): void {
    this.#next(); // first, so that close in a call ends it, too
    const now = this.#timers.now();
    const input = this.#read();
    const stale = input !== undefined && !same(input, REST) && now - this.#at > (HELD - 0.5) * this.#tick;
    if (input && (stale || !same(input, this.#last))) {
      this.#last = input;
      this.#at = now;
      this.#due = Math.max(now, this.#due) + SPACING * this.#tick;
      this.#send(input);
    }
    if (!input) this.#last = undefined; // what comes then is new
  }
}

function same(a: Input, b: Input | undefined): boolean {
  return a.Turn === b?.Turn && a.Thrust === b.Thrust && a.Fire === b.Fire;
}
