// Controls a replay that a server shows: one request at a time, the newest wish of each kind, and a look at how it stands
// now and then.

import { APIError, type ReplayControl, type ReplayState } from "@muster/client";

/** What a Remote needs of the world. */
export interface RemoteOptions {
  /** Sends what is wanted and returns how it stands then. */
  send(control: ReplayControl): Promise<ReplayState>;
  /** Asks how it stands. */
  read(): Promise<ReplayState>;
  /** Told of each answer. */
  state(s: ReplayState): void;
  /** Told of each refusal. One with status 404 is the last: the session is over. */
  failed(error: unknown): void;
  /** Calls a function after some ms and returns what cancels that. */
  later(ms: number, call: () => void): () => void;
}

const GAP = 120; // ms between two requests that change something
const LOOK = 1000; // between two looks
const LOOK_SEEKING = 250;

export class Remote {
  readonly #o: RemoteOptions;
  #want: ReplayControl | undefined;
  #busy = false;
  #closed = false;
  #cancel = () => {};

  constructor(options: RemoteOptions) {
    this.#o = options;
    this.#wait(LOOK);
  }

  /** Wants something; what is wanted of the same kind and was not sent yet is given up for it. */
  want(control: ReplayControl): void {
    this.#want = { ...this.#want, ...control };
    if (!this.#busy && !this.#closed) void this.#ask();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #wait(ms: number): void {
    this.#cancel();
    if (!this.#closed) this.#cancel = this.#o.later(ms, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    this.#cancel();
    this.#busy = true;
    const control = this.#want;
    this.#want = undefined;
    let next = LOOK;
    try {
      const s = await (control ? this.#o.send(control) : this.#o.read());
      if (this.#closed) return;
      if (s.seeking) next = LOOK_SEEKING;
      // An answer from before the newest wish says what is not wanted any more.
      if (!this.#want) this.#o.state(s);
    } catch (error) {
      if (this.#closed) return;
      this.#o.failed(error);
      if (error instanceof APIError) {
        if (error.status === 404) return this.close();
        next = Math.max(next, error.retryAfterMs);
        if (error.status === 429 && control) this.#want = { ...control, ...(this.#want as ReplayControl | undefined) }; // else it would be lost
      }
    } finally {
      this.#busy = false;
      this.#wait(this.#want ? Math.max(GAP, next === LOOK || next === LOOK_SEEKING ? 0 : next) : next);
    }
  }
}
