import type { ObservedStats } from "./probe.js";

/** Something that a player may have noticed. */
export interface Incident {
  /** When it was noticed, by the overlay's clock. */
  readonly at: number;
  /** A new host; a socket that was lost and is there again; frames that stayed away; a scope asked for anew; the end. */
  readonly kind: "host" | "resume" | "pause" | "heal" | "end";
  /** For people. */
  readonly text: string;
  /** How long no frame came. */
  readonly pausedMs?: number;
  /** How many ticks the match went back. */
  readonly ticks?: number;
}

/** What a sample says of a match. */
export interface Condition {
  readonly state: string;
  readonly rate: number;
  /** The longest gap between frames that is known of, and whether it goes on. */
  readonly gapMs: number;
  readonly silent: boolean;
  readonly stats: ObservedStats;
}

const MOST = 50;
const PAUSE_MS = 400; // a gap that is worth a line
const PAUSE_TICKS = 6; // where ticks are long

/** Finds incidents in a row of samples. */
export class Incidents {
  readonly list: Incident[] = [];

  #before: { playing: boolean; closed: boolean; takeover: unknown; broken: number } | undefined;
  #lostAt: number | undefined; // when the socket was seen to be lost
  #longest = 0; // of the pause that is going on

  note(at: number, c: Condition): void {
    const playing = c.state === "playing";
    const broken = c.stats.decodeErrors + c.stats.hashMismatches;
    const before = this.#before;
    const { takeover } = c.stats;
    this.#before = { playing, closed: c.state === "closed", takeover, broken };
    if (!before) return;
    if (before.playing && c.state === "reconnecting") this.#lostAt = at;
    const long = c.gapMs > Math.max(PAUSE_MS, (PAUSE_TICKS * 1000) / c.rate);
    if (long) this.#longest = Math.max(this.#longest, c.gapMs);
    const over = playing && !c.silent;
    if (takeover && takeover !== before.takeover) {
      const { pausedMs, rolledBackTicks: ticks } = takeover;
      this.#add({ at, kind: "host", text: `New host: paused ${ms(pausedMs)}, ${rolledBack(ticks)}`, pausedMs, ticks });
      this.#lostAt = undefined;
      this.#longest = 0;
    } else if (over && this.#lostAt !== undefined) {
      const pausedMs = Math.max(this.#longest, at - this.#lostAt);
      this.#add({ at, kind: "resume", text: `Socket lost: back after ${ms(pausedMs)}`, pausedMs });
      this.#lostAt = undefined;
      this.#longest = 0;
    } else if (over && this.#longest > 0) {
      this.#add({ at, kind: "pause", text: `No frame for ${ms(this.#longest)}`, pausedMs: this.#longest });
      this.#longest = 0;
    }
    if (broken > before.broken) this.#add({ at, kind: "heal", text: "A scope did not decode and was asked for anew" });
    if (c.state === "closed" && !before.closed) this.#add({ at, kind: "end", text: "The match is over for this client" });
  }

  #add(incident: Incident): void {
    this.list.push(incident);
    if (this.list.length > MOST) this.list.shift();
  }
}

function ms(n: number): string {
  return `${Math.round(n)} ms`;
}

function rolledBack(ticks: number): string {
  return `rolled back ${ticks} tick${ticks === 1 ? "" : "s"}`;
}
