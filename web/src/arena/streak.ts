// Kills in quick succession, and what they are called.

const WITHIN = 5000; // ms from one to the next
const WORDS = ["", "", "Double", "Triple", "Quadruple"];

export class Streak {
  #count = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** Counts an own kill at a time in ms, and says what it makes together with those before: "" when it is the first. */
  kill(now: number): string {
    this.#count = now - this.#last <= WITHIN ? this.#count + 1 : 1;
    this.#last = now;
    return this.#count < WORDS.length ? WORDS[this.#count]! : `${this.#count} in a row`;
  }

  /** The own ship is destroyed: it begins anew. */
  end(): void {
    this.#count = 0;
    this.#last = Number.NEGATIVE_INFINITY;
  }
}
