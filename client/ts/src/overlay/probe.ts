import { isCell, isSeat, isTeam } from "../schema.js";
import { type Incident, Incidents } from "./incidents.js";
import { Rate, Series } from "./series.js";

/** What an overlay reads of a match. Every Match has it. */
export interface Observed {
  /** Connecting, playing, reconnecting or closed. */
  readonly state: string;
  /** As MatchInfo says. */
  readonly info: { readonly room: string; readonly seat: number; readonly epoch: bigint; readonly rate: number };
  /** As MatchStats says. */
  readonly stats: ObservedStats;
}

/** The part of MatchStats that an overlay shows. */
export interface ObservedStats {
  readonly rttMs: number;
  readonly jitterMs: number;
  readonly frames: number;
  readonly frameGapMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly bytesByScope: ReadonlyMap<number, number>;
  readonly bytesByTable: Readonly<Record<string, number>>;
  readonly leadTicks: number;
  readonly shed: number;
  readonly resumes: number;
  readonly decodeErrors: number;
  readonly hashMismatches: number;
  readonly takeover?: { readonly count: number; readonly pausedMs: number; readonly rolledBackTicks: number } | undefined;
  readonly prediction?: ObservedPrediction | undefined;
}

/** The part of PredictionStats that an overlay shows. */
export interface ObservedPrediction {
  readonly states: number;
  readonly mispredicted: number;
  readonly replayed: number;
  /** Absent where it is not known. */
  readonly error?: number | undefined;
}

/** How often a probe is to be asked to take a sample, in milliseconds. */
export const SAMPLE_MS = 100;

/** How much of the past is kept, in milliseconds. */
export const WINDOW_MS = 60_000;

const PER_SECOND = 1000 / SAMPLE_MS;
const KEPT = WINDOW_MS / SAMPLE_MS + 2 * PER_SECOND;
const MOST_TABLES = 5; // that have a layer of their own

/** One part of the bytes that come, by its name. */
export interface Layer {
  readonly name: string;
  /** Which of the colours it has, from 0 on; they stay the same while the overlay lives. */
  readonly colour: number;
  readonly series: Series;
}

/** A set of layers that make up all bytes together. */
class Layers {
  readonly list: (Layer & { rate: Rate; total: number })[] = [];
  readonly #most: number;

  /** @param most how many layers there are; what comes later counts to the rest */
  constructor(most: number) {
    this.#most = most;
  }

  begin(): void {
    for (const l of this.list) l.total = 0;
  }

  /** Adds bytes to a layer, and says whether it has one. */
  add(name: string, total: number): boolean {
    let layer = this.list.find((l) => l.name === name);
    if (!layer) {
      if (this.list.length === this.#most) return false;
      layer = { name, colour: this.list.length, series: new Series(KEPT), rate: new Rate(PER_SECOND), total: 0 };
      this.list.push(layer);
    }
    layer.total += total;
    return true;
  }

  end(at: number): void {
    for (const l of this.list) l.series.push(at, l.rate.add(at, l.total));
  }
}

/** Makes series out of what a match counts. It has no clock and no timer: whoever asks for a sample says when it is. */
export class Probe {
  readonly rtt = new Series(KEPT);
  readonly jitter = new Series(KEPT);
  /** The longest time between two frames since the last sample; while none come, the time since the last one. */
  readonly gap = new Series(KEPT);
  readonly bytesIn = new Series(KEPT);
  readonly bytesOut = new Series(KEPT);
  readonly lead = new Series(KEPT);
  /** By how much states differed from the prediction, in the game's units. */
  readonly error = new Series(KEPT);
  /** States that differed from what was predicted, per second, and ticks that were run again for them. */
  readonly rollbacks = new Series(KEPT);
  readonly replayed = new Series(KEPT);
  /** The bytes of frames by the kind of their scope, and by table. */
  readonly scopes = new Layers(4);
  readonly tables = new Layers(MOST_TABLES);
  /** Bytes that come and belong to no layer of scopes, and to none of tables. */
  readonly restOfScopes = new Series(KEPT);
  readonly restOfTables = new Series(KEPT);

  readonly #match: Observed;
  readonly #incidents: Incidents;
  readonly #rates = {
    in: new Rate(PER_SECOND), out: new Rate(PER_SECOND), rolled: new Rate(PER_SECOND), replayed: new Rate(PER_SECOND),
  };
  #frames = -1;
  #heardAt = 0; // the sample in which the newest frame was first seen
  #takeover: unknown; // the newest seen
  #silent = 0; // how long no frame had come by the last sample

  constructor(match: Observed) {
    this.#match = match;
    this.#incidents = new Incidents();
  }

  /** What happened, the oldest first; the newest 50. */
  get incidents(): readonly Incident[] {
    return this.#incidents.list;
  }

  sample(at: number): void {
    const { state, info, stats } = this.#match;
    this.rtt.push(at, stats.rttMs || NaN);
    this.jitter.push(at, stats.frames > 1 ? stats.jitterMs : NaN);
    const gap = this.#gap(at, stats);
    this.gap.push(at, gap);
    this.lead.push(at, info.seat === 0 ? NaN : stats.leadTicks);
    const bytesIn = this.#rates.in.add(at, stats.bytesIn);
    this.bytesIn.push(at, bytesIn);
    this.bytesOut.push(at, this.#rates.out.add(at, stats.bytesOut));
    this.#layers(at, stats, bytesIn);
    const p = stats.prediction;
    this.error.push(at, p?.error ?? NaN);
    this.rollbacks.push(at, p ? this.#rates.rolled.add(at, p.mispredicted) : NaN);
    this.replayed.push(at, p ? this.#rates.replayed.add(at, p.replayed) : NaN);
    this.#incidents.note(at, { state, rate: info.rate, gapMs: gap, silent: this.#silent > 0, stats });
  }

  /**
   * The longest gap that is known of. Several frames may have come since the last sample, and the first of them after a
   * pause: then it is at least as long as the last sample saw it.
   */
  #gap(at: number, stats: ObservedStats): number {
    if (stats.frames !== this.#frames) {
      const waited = this.#silent;
      [this.#frames, this.#heardAt, this.#silent] = [stats.frames, at, 0];
      const { takeover } = stats;
      const paused = takeover && takeover !== this.#takeover ? takeover.pausedMs : 0; // which is exact
      this.#takeover = takeover;
      return stats.frames > 1 ? Math.max(stats.frameGapMs, waited, paused) : NaN;
    }
    this.#silent = at - this.#heardAt;
    return this.#silent;
  }

  #layers(at: number, stats: ObservedStats, bytesIn: number): void {
    this.scopes.begin();
    for (const kind of KINDS) this.scopes.add(kind, 0);
    for (const [scope, n] of stats.bytesByScope) this.scopes.add(kindOf(scope), n);
    this.scopes.end(at);
    this.restOfScopes.push(at, rest(bytesIn, this.scopes.list));
    this.tables.begin();
    for (const name in stats.bytesByTable) this.tables.add(name, stats.bytesByTable[name]!);
    this.tables.end(at);
    this.restOfTables.push(at, rest(bytesIn, this.tables.list));
  }
}

const KINDS = ["room", "own", "team", "cells"] as const;

function kindOf(scope: number): string {
  return isSeat(scope) ? "own" : isTeam(scope) ? "team" : isCell(scope) ? "cells" : "room";
}

function rest(all: number, layers: readonly Layer[]): number {
  return Math.max(0, layers.reduce((left, l) => left - l.series.value(), all));
}
