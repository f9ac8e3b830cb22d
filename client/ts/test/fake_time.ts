import type { Schedule } from "../src/schedule.js";

/** A clock that stands still until it is moved on, and the timers that hang on it. */
export class FakeTime {
  #now = 1000;
  #timers: { at: number; call: () => void }[] = [];

  readonly now = (): number => this.#now;

  readonly schedule: Schedule = (call, ms) => {
    const timer = { at: this.#now + ms, call };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((t) => t !== timer));
  };

  /** How long until the next timer; undefined when there is none. */
  get next(): number | undefined {
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map((t) => t.at)) - this.#now;
  }

  /** Moves on, and calls what falls due on the way at its time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((t) => t !== due);
      this.#now = Math.max(this.#now, due.at);
      due.call();
    }
    this.#now = Math.max(this.#now, end);
  }

  /** Sleeps: time passes and no timer is called; they are late when the next advance comes. */
  sleep(ms: number): void {
    this.#now += ms;
  }
}
