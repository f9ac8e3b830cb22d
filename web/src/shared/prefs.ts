// What a browser remembers of this site, and only there: the callsign, the theme, how loud it is.

/** The part of a Storage that is used. */
export type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const PREFIX = "muster.";

/** Reads and writes preferences. Where a browser does not let pages remember, every visit is the first one. */
export class Prefs {
  readonly #open: () => Store;

  constructor(open: () => Store = () => localStorage) {
    this.#open = open;
  }

  /** What was remembered; undefined when nothing was. */
  get(name: string): string | undefined {
    try {
      return this.#open().getItem(PREFIX + name) ?? undefined;
    } catch {
      return undefined;
    }
  }

  /** Remembers a text, or forgets with undefined. */
  set(name: string, value: string | undefined): void {
    try {
      if (value === undefined) this.#open().removeItem(PREFIX + name);
      else this.#open().setItem(PREFIX + name, value);
    } catch {
      // It holds for this visit alone.
    }
  }

  /** A number that was remembered, when it is one from least to most; else the default. */
  number(name: string, least: number, most: number, otherwise: number): number {
    const text = this.get(name);
    const value = text ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : otherwise;
  }
}
